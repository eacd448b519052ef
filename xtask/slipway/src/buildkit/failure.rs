//! Why a solve failed: which step, and which lines of the Dockerfile.

use bollard_buildkit_proto::google;
use prost::Message;
use serde::Deserialize;
use tonic::{Code, Status};

use super::wording::{is_lost_race, is_registry_unreachable, without_wrapping};

/// A solve that gave no image.
#[derive(Debug)]
pub(crate) struct SolveFailure {
    pub(crate) message: String,
    /// The digest of the step that failed.
    pub(crate) step: Option<String>,
    /// The first and the last line of its instruction, counted from 1.
    pub(crate) lines: Option<(usize, usize)>,
    /// Whether the engine went away, so that nothing else can be built either.
    pub(crate) engine_lost: bool,
    /// Whether another build gave the same name to its image, or the engine removed layers that nobody used
    /// any more, at the very moment. The steps are done then, and a second attempt succeeds.
    pub(crate) lost_race: bool,
    /// Whether a base image was not there, and its registry did not answer.
    pub(crate) registry_unreachable: bool,
}

/// BuildKit's `errdefs.Vertex`.
#[derive(Deserialize)]
struct FailedVertex {
    digest: String,
}

/// Where something is in a Dockerfile, as BuildKit's failures (`errdefs.Source`) and checks tell it.
#[derive(Deserialize)]
pub(super) struct Location {
    #[serde(default)]
    pub(super) ranges: Vec<Range>,
}

#[derive(Deserialize)]
pub(super) struct Range {
    pub(super) start: Position,
    pub(super) end: Position,
}

#[derive(Deserialize)]
pub(super) struct Position {
    #[serde(default)]
    pub(super) line: usize,
}

impl From<Status> for SolveFailure {
    fn from(status: Status) -> SolveFailure {
        let details = google::rpc::Status::decode(status.details()).unwrap_or_default().details;
        let detail = |name: &str| details.iter().find(|any| any.type_url.ends_with(name)).map(|any| &any.value);
        let step: Option<FailedVertex> =
            detail("errdefs.Vertex+json").and_then(|value| serde_json::from_slice(value).ok());
        let source: Option<Location> =
            detail("errdefs.Source+json").and_then(|value| serde_json::from_slice(value).ok());
        SolveFailure {
            message: without_wrapping(status.message()).to_owned(),
            step: step.map(|step| step.digest),
            lines: source.and_then(|source| source.lines()),
            engine_lost: is_connection_lost(&status),
            lost_race: is_lost_race(status.message()),
            registry_unreachable: is_registry_unreachable(status.message()),
        }
    }
}

impl SolveFailure {
    /// With a reason that is known on this side only.
    pub(crate) fn because(mut self, reason: &str) -> SolveFailure {
        if !reason.is_empty() {
            self.message = format!("{}\n{reason}", self.message);
        }
        self
    }
}

impl Location {
    fn lines(&self) -> Option<(usize, usize)> {
        let first = self.ranges.iter().map(|range| range.start.line).min()?;
        let last = self.ranges.iter().map(|range| range.end.line).max()?;
        (first > 0).then_some((first, last.max(first)))
    }
}

/// A registry that does not answer is `Unavailable`, too, but the engine tells so: only a broken
/// connection leaves a cause on this side.
fn is_connection_lost(status: &Status) -> bool {
    let has_cause = std::error::Error::source(status).is_some();
    has_cause && matches!(status.code(), Code::Unavailable | Code::Unknown | Code::Internal | Code::Cancelled)
}
