//! A session: the connection over which the engine asks this program for folders, secrets,
//! credentials and an SSH agent while it builds.

use std::{collections::BTreeMap, path::PathBuf, sync::Mutex};

use anyhow::{Context, Result};
use bollard_buildkit_proto::{
    health::health_server::HealthServer,
    moby::{
        buildkit::secrets::v1::secrets_server::SecretsServer,
        filesync::{
            packet::file_sync_server::FileSyncServer,
            v1::{auth_server::AuthServer, file_send_server::FileSendServer},
        },
        sshforward::v1::ssh_server::SshServer,
    },
};
use futures_util::StreamExt;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::transport::Server;

use super::{
    builder::Builder,
    credentials::RegistryCredentials,
    file_sync::{SentLog, SharedDirectories, SharedDirectory},
    health::Healthy,
    received_image::ImageSink,
    secrets::BuildSecrets,
    ssh_agent::SshAgents,
    stream::RawStream,
};
use crate::build_inputs::SecretSource;

/// The methods that the engine may call. It calls nothing that a session did not name.
const METHODS: [&str; 6] = [
    "/moby.filesync.v1.FileSync/DiffCopy",
    "/moby.filesync.v1.FileSend/DiffCopy",
    "/moby.filesync.v1.Auth/Credentials",
    "/moby.buildkit.secrets.v1.Secrets/GetSecret",
    "/moby.sshforward.v1.SSH/CheckAgent",
    "/moby.sshforward.v1.SSH/ForwardAgent",
];

/// Room for the engine's requests for files, which come as very many very small frames.
const REQUESTS_WINDOW: u32 = 64 << 20;

/// What the engine may have through a session.
#[derive(Default)]
pub(crate) struct Offers {
    /// Folders by the name that a solve gives them.
    pub(crate) directories: BTreeMap<String, SharedDirectory>,
    pub(crate) secrets: BTreeMap<String, SecretSource>,
    /// SSH agents' sockets.
    pub(crate) ssh: BTreeMap<String, PathBuf>,
    /// Where the image goes, if it is not kept or pushed by the daemon itself.
    pub(crate) image: Option<ImageSink>,
}

/// An open session; dropping it closes the connection.
pub(crate) struct Session {
    pub(crate) id: String,
    _closes: DropGuard,
}

impl Session {
    /// Opens a session. `shared_key` tells the engine which earlier transfers to compare new
    /// ones with, so it has to be the same for every build of one project. `sent` is told what
    /// goes out.
    pub(crate) async fn open(builder: &Builder, shared_key: &str, offers: Offers, sent: SentLog) -> Result<Session> {
        let id = uuid::Uuid::new_v4().simple().to_string();
        let headers = headers(&id, shared_key);
        let closing = CancellationToken::new();
        let closed = closing.clone();
        let stream = builder.session_stream(&headers).await;
        let stream = stream.with_context(|| format!("no session could be opened with {}", builder.address))?;
        serve(stream, offers, sent, closed);
        Ok(Session { id, _closes: closing.drop_guard() })
    }
}

fn headers(id: &str, shared_key: &str) -> Vec<(&'static str, String)> {
    let mut headers = vec![
        ("X-Docker-Expose-Session-Uuid", id.to_owned()),
        ("X-Docker-Expose-Session-Name", "slipway".to_owned()),
        ("X-Docker-Expose-Session-Sharedkey", shared_key.to_owned()),
    ];
    headers.extend(METHODS.iter().map(|method| ("X-Docker-Expose-Session-Grpc-Method", (*method).to_owned())));
    headers
}

fn serve(stream: RawStream, offers: Offers, sent: SentLog, closed: CancellationToken) {
    let directories = SharedDirectories { by_name: offers.directories, sent };
    let image = offers.image.unwrap_or(ImageSink(Mutex::new(None)));
    let server = Server::builder()
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(REQUESTS_WINDOW)
        .add_service(HealthServer::new(Healthy))
        .add_service(FileSyncServer::new(directories))
        .add_service(AuthServer::new(RegistryCredentials))
        .add_service(SecretsServer::new(BuildSecrets(offers.secrets)))
        .add_service(SshServer::new(SshAgents(offers.ssh)))
        .add_service(FileSendServer::new(image));
    let only =
        futures_util::stream::iter([Ok::<RawStream, std::io::Error>(stream)]).chain(futures_util::stream::pending());
    // When the engine hangs up, the solves that need the session fail and say why.
    tokio::spawn(async move { server.serve_with_incoming_shutdown(only, closed.cancelled_owned()).await });
}
