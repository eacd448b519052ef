//! One solve: a Dockerfile build by the engine's BuildKit, from its request to its image.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use bollard_buildkit_proto::moby::buildkit::{v1 as proto, v1::control_client::ControlClient};
use tonic::transport::Channel;

use super::{builder::Builder, failure::SolveFailure, status::Status};
use crate::build_inputs::CacheStore;

/// How long the last messages about steps may take once the solve itself has ended.
const STATUS_DRAIN: Duration = Duration::from_secs(2);

/// Everything that BuildKit needs to know to build one image.
pub(crate) struct SolveRequest {
    pub(crate) session: String,
    /// The attributes of BuildKit's Dockerfile frontend.
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) export: Export,
    pub(crate) cache_from: Vec<CacheStore>,
    pub(crate) cache_to: Vec<CacheStore>,
    pub(crate) entitlements: Vec<String>,
}

/// What becomes of the image.
pub(crate) enum Export {
    /// Into the engine's store, under these names.
    Load(Vec<String>),
    /// To the registries that the names stand for.
    Push(Vec<String>),
    /// Over the session to this program, under these names.
    Send(Vec<String>),
    /// The same, and into the engine's own store, for images that are built upon it.
    SendAndLoad(Vec<String>),
}

/// What came of a solve.
pub(crate) struct Solved {
    /// The image's digest, which registries call it by.
    pub(crate) digest: String,
    /// The digest of its configuration, by which some engines call it.
    pub(crate) config_digest: String,
    /// Whether all was told that happened meanwhile.
    pub(crate) saw_every_step: bool,
}

/// Runs solves over one connection; any number at a time.
#[derive(Clone)]
pub(crate) struct Solver(ControlClient<Channel>);

impl Builder {
    pub(crate) fn solver(&self) -> Solver {
        Solver(self.control.clone())
    }
}

impl Solver {
    /// Builds one image and passes on what BuildKit tells meanwhile. Dropping the future cancels the solve in the engine, too.
    pub(crate) async fn solve(
        &self,
        request: SolveRequest,
        on_status: impl Fn(Status),
    ) -> Result<Solved, SolveFailure> {
        let reference = uuid::Uuid::new_v4().simple().to_string();
        let mut control = self.0.clone();
        let watching = watch(self.0.clone(), reference.clone(), on_status);
        tokio::pin!(watching);
        let solving = control.solve(request.into_proto(reference));
        tokio::pin!(solving);

        let mut watched = None;
        let answer = loop {
            tokio::select! {
                answer = &mut solving => break answer,
                saw_every_step = &mut watching, if watched.is_none() => watched = Some(saw_every_step),
            }
        };
        let saw_every_step = match watched {
            Some(saw_every_step) => saw_every_step,
            // A solve that fails before it has begun has no status to end, hence the limit.
            None => tokio::time::timeout(STATUS_DRAIN, watching).await.unwrap_or_default(),
        };
        let mut response = answer.map_err(SolveFailure::from)?.into_inner().exporter_response;
        let mut answer = |key: &str| response.remove(key).unwrap_or_default();
        Ok(Solved {
            digest: answer("containerimage.digest"),
            config_digest: answer("containerimage.config.digest"),
            saw_every_step,
        })
    }
}

/// Whether the stream came to its end. Failures are left to the solve's own answer: this stream may end early for
/// its own reasons.
async fn watch(mut control: ControlClient<Channel>, reference: String, on_status: impl Fn(Status)) -> bool {
    let request = proto::StatusRequest { r#ref: reference };
    let Ok(stream) = control.status(request).await else {
        return false;
    };
    let mut stream = stream.into_inner();
    loop {
        match stream.message().await {
            Ok(Some(message)) => on_status(Status::from(message)),
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

impl SolveRequest {
    fn into_proto(self, reference: String) -> proto::SolveRequest {
        let mut attributes: HashMap<_, _> = self.attributes.into_iter().collect();
        if !self.cache_from.is_empty() {
            attributes.insert("cache-imports".to_owned(), cache_imports(&self.cache_from));
        }
        proto::SolveRequest {
            r#ref: reference,
            session: self.session,
            frontend: "dockerfile.v0".to_owned(),
            frontend_attrs: attributes,
            cache: Some(proto::CacheOptions {
                exports: self.cache_to.into_iter().map(cache_entry).collect(),
                ..proto::CacheOptions::default()
            }),
            entitlements: self.entitlements,
            exporters: self.export.into_proto(),
            ..proto::SolveRequest::default()
        }
    }
}

impl Export {
    fn into_proto(self) -> Vec<proto::Exporter> {
        let exporter = |kind: &str, names: &[String], options: &[(&str, &str)]| {
            let named = [("name".to_owned(), names.join(","))];
            let options = options.iter().map(|(option, value)| ((*option).to_owned(), (*value).to_owned()));
            proto::Exporter { r#type: kind.to_owned(), attrs: named.into_iter().chain(options).collect() }
        };
        let loaded = |names: &[String]| exporter("moby", names, &[("compression-level", LOADED_COMPRESSION)]);
        match self {
            Export::Load(names) => vec![loaded(&names)],
            Export::Push(names) => vec![exporter("image", &names, &[("push", "true")])],
            Export::Send(names) => vec![exporter("docker", &names, &[])],
            Export::SendAndLoad(names) => vec![loaded(&names), exporter("docker", &names, &[])],
        }
    }
}

/// gzip's level for layers that the engine keeps for itself: a third less time than its usual level, 4 % larger. An
/// engine that keeps layers unpacked does not look at it.
const LOADED_COMPRESSION: &str = "1";

/// It is the frontend that imports caches; those of the request itself are for solves without one.
fn cache_imports(stores: &[CacheStore]) -> String {
    let entry = |store: &CacheStore| serde_json::json!({"Type": store.kind, "Attrs": store.attributes});
    stores.iter().map(entry).collect::<serde_json::Value>().to_string()
}

fn cache_entry(store: CacheStore) -> proto::CacheOptionsEntry {
    proto::CacheOptionsEntry { r#type: store.kind, attrs: store.attributes.into_iter().collect() }
}
