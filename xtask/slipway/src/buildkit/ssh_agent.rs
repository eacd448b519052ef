//! `RUN --mount=type=ssh`: passes bytes between a build and the user's SSH agent, unread.

use std::{collections::BTreeMap, path::PathBuf};

use bollard_buildkit_proto::moby::sshforward::v1::{
    BytesMessage, CheckAgentRequest, CheckAgentResponse, ssh_server::Ssh,
};
use futures_util::stream::{BoxStream, StreamExt};
use tokio::{io::AsyncWriteExt, net::UnixStream};
use tokio_util::io::ReaderStream;
use tonic::{Request, Response, Status, Streaming};

/// Agent sockets by the id that the Dockerfile uses.
pub(super) struct SshAgents(pub(super) BTreeMap<String, PathBuf>);

impl SshAgents {
    fn socket(&self, id: &str) -> Result<&PathBuf, Status> {
        let id = if id.is_empty() { "default" } else { id };
        self.0
            .get(id)
            .ok_or_else(|| Status::not_found(format!("the compose file gives this build no ssh agent `{id}`")))
    }
}

#[tonic::async_trait]
impl Ssh for SshAgents {
    async fn check_agent(&self, request: Request<CheckAgentRequest>) -> Result<Response<CheckAgentResponse>, Status> {
        self.socket(&request.into_inner().id)?;
        Ok(Response::new(CheckAgentResponse {}))
    }

    type ForwardAgentStream = BoxStream<'static, Result<BytesMessage, Status>>;

    async fn forward_agent(
        &self,
        request: Request<Streaming<BytesMessage>>,
    ) -> Result<Response<Self::ForwardAgentStream>, Status> {
        let id = request
            .metadata()
            .get("buildkit.ssh.id")
            .and_then(|value| value.to_str().ok())
            .unwrap_or("default")
            .to_owned();
        let socket = self.socket(&id)?;
        let agent = UnixStream::connect(socket)
            .await
            .map_err(|error| Status::failed_precondition(format!("the ssh agent at {}: {error}", socket.display())))?;
        let (answers, mut questions) = agent.into_split();
        let mut incoming = request.into_inner();
        tokio::spawn(async move {
            // Either side may hang up at any time; then the other's stream ends, too.
            while let Some(Ok(message)) = incoming.next().await {
                if questions.write_all(&message.data).await.is_err() {
                    break;
                }
            }
        });
        let outgoing = ReaderStream::new(answers).map(|chunk| match chunk {
            Ok(data) => Ok(BytesMessage { data: data.to_vec() }),
            Err(error) => Err(Status::aborted(error.to_string())),
        });
        Ok(Response::new(outgoing.boxed()))
    }
}
