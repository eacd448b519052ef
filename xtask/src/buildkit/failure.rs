//! Why a solve failed: which step, and where its instruction stands in the Dockerfile.

use std::ops::RangeInclusive;

use bollard_buildkit_proto::google;
use bollard_buildkit_proto::pb;
use prost::Message;
use tonic::{Code, Status};

/// A solve that gave no image.
#[derive(Debug)]
pub(crate) struct SolveFailure {
    pub(crate) message: String,
    /// The digest of the step that failed.
    pub(crate) step: Option<String>,
    pub(crate) excerpt: Option<DockerfileExcerpt>,
    /// Whether the engine went away, so that nothing else can be built either.
    pub(crate) engine_lost: bool,
}

/// The Dockerfile as the engine read it, and the lines of the instruction in question.
#[derive(Debug)]
pub(crate) struct DockerfileExcerpt {
    pub(crate) file: String,
    pub(crate) text: String,
    /// Counted from 1.
    pub(crate) lines: RangeInclusive<usize>,
}

/// BuildKit's `errdefs.Vertex`, which its published protocol leaves out.
#[derive(Clone, PartialEq, Message)]
struct FailedVertex {
    #[prost(string, tag = "1")]
    digest: String,
}

/// BuildKit's `errdefs.Source`.
#[derive(Clone, PartialEq, Message)]
struct FailedSource {
    #[prost(message, optional, tag = "1")]
    info: Option<pb::SourceInfo>,
    #[prost(message, repeated, tag = "2")]
    ranges: Vec<pb::Range>,
}

impl From<Status> for SolveFailure {
    fn from(status: Status) -> SolveFailure {
        let details = google::rpc::Status::decode(status.details()).unwrap_or_default().details;
        let detail = |name: &str| {
            details
                .iter()
                .find(|any| any.type_url.trim_end_matches("+json").ends_with(name))
                .map(|any| any.value.as_slice())
        };
        SolveFailure {
            message: without_wrapping(status.message()),
            step: detail("errdefs.Vertex").and_then(vertex_digest),
            excerpt: detail("errdefs.Source").and_then(excerpt),
            engine_lost: matches!(status.code(), Code::Unavailable)
                || status.message().contains("transport error")
                || status.message().contains("error reading a body from connection"),
        }
    }
}

/// BuildKit sends its details as protobuf or as JSON, depending on the version.
fn vertex_digest(value: &[u8]) -> Option<String> {
    match serde_json::from_slice::<serde_json::Value>(value) {
        Ok(json) => Some(json.get("digest")?.as_str()?.to_owned()),
        Err(_) => Some(FailedVertex::decode(value).ok()?.digest),
    }
}

fn excerpt(value: &[u8]) -> Option<DockerfileExcerpt> {
    let source = FailedSource::decode(value).ok()?;
    let info = source.info?;
    let line = |position: Option<pb::Position>| usize::try_from(position?.line).ok();
    let first = source.ranges.iter().filter_map(|range| line(range.start)).min()?;
    let last = source.ranges.iter().filter_map(|range| line(range.end)).max()?;
    Some(DockerfileExcerpt {
        file: info.filename,
        text: String::from_utf8_lossy(&info.data).into_owned(),
        lines: first..=last.max(first),
    })
}

/// Without what every message of BuildKit begins with.
fn without_wrapping(message: &str) -> String {
    let message = message.strip_prefix("failed to solve: ").unwrap_or(message);
    message.strip_prefix("rpc error: code = Unknown desc = ").unwrap_or(message).to_owned()
}
