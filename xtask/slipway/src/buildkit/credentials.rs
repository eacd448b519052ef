//! Registry credentials for the engine, out of the docker CLI's configuration.

use bollard_buildkit_proto::moby::filesync::v1::{
    CredentialsRequest, CredentialsResponse, FetchTokenRequest, FetchTokenResponse, GetTokenAuthorityRequest,
    GetTokenAuthorityResponse, VerifyTokenAuthorityRequest, VerifyTokenAuthorityResponse, auth_server::Auth,
};
use docker_credential::{CredentialRetrievalError, DockerCredential};
use tonic::{Request, Response, Status};

pub(super) struct RegistryCredentials;

#[tonic::async_trait]
impl Auth for RegistryCredentials {
    async fn credentials(&self, request: Request<CredentialsRequest>) -> Result<Response<CredentialsResponse>, Status> {
        let host = request.into_inner().host;
        // A credential helper is a program that may ask the user: it must not block the session.
        tokio::task::spawn_blocking(move || credentials_of(&host))
            .await
            .map_err(|error| Status::internal(error.to_string()))?
            .map(Response::new)
    }

    async fn fetch_token(&self, _request: Request<FetchTokenRequest>) -> Result<Response<FetchTokenResponse>, Status> {
        Err(Status::unimplemented("the engine fetches tokens itself"))
    }

    async fn get_token_authority(
        &self,
        _request: Request<GetTokenAuthorityRequest>,
    ) -> Result<Response<GetTokenAuthorityResponse>, Status> {
        Err(Status::unimplemented("the engine fetches tokens itself"))
    }

    async fn verify_token_authority(
        &self,
        _request: Request<VerifyTokenAuthorityRequest>,
    ) -> Result<Response<VerifyTokenAuthorityResponse>, Status> {
        Err(Status::unimplemented("the engine fetches tokens itself"))
    }
}

fn credentials_of(host: &str) -> Result<CredentialsResponse, Status> {
    // The Hub is called so in the docker CLI's configuration, and otherwise in the protocol.
    let server = match host {
        "registry-1.docker.io" | "docker.io" => "https://index.docker.io/v1/",
        other => other,
    };
    match docker_credential::get_credential(server) {
        Ok(DockerCredential::UsernamePassword(username, secret)) => Ok(CredentialsResponse { username, secret }),
        Ok(DockerCredential::IdentityToken(secret)) => Ok(CredentialsResponse { username: String::new(), secret }),
        Err(
            CredentialRetrievalError::NoCredentialConfigured
            | CredentialRetrievalError::ConfigNotFound
            | CredentialRetrievalError::ConfigReadError,
        ) => Ok(CredentialsResponse::default()),
        Err(error) => {
            Err(Status::failed_precondition(format!("credentials for {server}: {error}; run `docker login {server}`")))
        }
    }
}
