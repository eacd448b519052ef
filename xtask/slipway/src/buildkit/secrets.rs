//! Build secrets: read when the engine asks for them, never kept, never part of an image.

use std::collections::BTreeMap;

use bollard_buildkit_proto::moby::buildkit::secrets::v1::{
    GetSecretRequest, GetSecretResponse, secrets_server::Secrets,
};
use tonic::{Request, Response, Status};

use crate::build_inputs::SecretSource;

/// BuildKit's own limit.
const LARGEST_SECRET: usize = 500 << 10;

pub(super) struct BuildSecrets(pub(super) BTreeMap<String, SecretSource>);

#[tonic::async_trait]
impl Secrets for BuildSecrets {
    async fn get_secret(&self, request: Request<GetSecretRequest>) -> Result<Response<GetSecretResponse>, Status> {
        let id = request.into_inner().id;
        let source = self
            .0
            .get(&id)
            .ok_or_else(|| Status::not_found(format!("the compose file gives this build no secret `{id}`")))?;
        let data = read(source)
            .await
            .map_err(|error| Status::failed_precondition(format!("the secret `{id}` cannot be read: {error}")))?;
        if data.len() > LARGEST_SECRET {
            return Err(Status::failed_precondition(format!(
                "the secret `{id}` has {} bytes; BuildKit allows {LARGEST_SECRET}",
                data.len()
            )));
        }
        Ok(Response::new(GetSecretResponse { data }))
    }
}

async fn read(source: &SecretSource) -> Result<Vec<u8>, String> {
    match source {
        SecretSource::File(path) => tokio::fs::read(path).await.map_err(|error| format!("{}: {error}", path.display())),
        SecretSource::Environment(name) => {
            std::env::var(name).map(String::into_bytes).map_err(|error| format!("environment variable {name}: {error}"))
        }
    }
}
