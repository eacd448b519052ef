//! What BuildKit tells about the steps of a running solve, in this program's own words.

use std::time::{Duration, SystemTime};

use bollard_buildkit_proto::{
    google::protobuf::Timestamp,
    moby::buildkit::v1::{StatusResponse, Vertex, VertexLog, VertexStatus, VertexWarning},
};

/// One message about any number of steps.
pub(crate) struct Status {
    pub(crate) steps: Vec<StepState>,
    pub(crate) progress: Vec<StepProgress>,
    pub(crate) logs: Vec<StepLog>,
    pub(crate) warnings: Vec<StepWarning>,
}

/// A step is announced, starts and completes in separate messages, and may start again.
pub(crate) struct StepState {
    pub(crate) digest: String,
    /// The digests of the steps that this one builds on.
    pub(crate) inputs: Vec<String>,
    pub(crate) name: String,
    pub(crate) cached: bool,
    pub(crate) started: Option<SystemTime>,
    pub(crate) completed: Option<SystemTime>,
    /// Empty where nothing went wrong.
    pub(crate) error: String,
}

/// How far a part of a step has got, such as a transfer or a layer's download.
pub(crate) struct StepProgress {
    pub(crate) step: String,
    pub(crate) name: String,
    /// Bytes or items, as the step counts.
    pub(crate) current: u64,
    /// Zero where it is not known.
    pub(crate) total: u64,
}

pub(crate) struct StepLog {
    pub(crate) step: String,
    pub(crate) at: SystemTime,
    /// As it was written: any part of a line, or several.
    pub(crate) text: String,
}

/// A finding of BuildKit's own checks of a Dockerfile.
pub(crate) struct StepWarning {
    pub(crate) message: String,
    pub(crate) file: String,
    /// Counted from 1; zero where there is none.
    pub(crate) line: u32,
    pub(crate) url: String,
}

impl From<StatusResponse> for Status {
    fn from(response: StatusResponse) -> Status {
        Status {
            steps: response.vertexes.into_iter().map(StepState::from).collect(),
            progress: response.statuses.into_iter().map(StepProgress::from).collect(),
            logs: response.logs.into_iter().map(StepLog::from).collect(),
            warnings: response.warnings.into_iter().map(StepWarning::from).collect(),
        }
    }
}

impl From<Vertex> for StepState {
    fn from(vertex: Vertex) -> StepState {
        StepState {
            digest: vertex.digest,
            inputs: vertex.inputs,
            name: vertex.name,
            cached: vertex.cached,
            started: vertex.started.map(system_time),
            completed: vertex.completed.map(system_time),
            error: vertex.error,
        }
    }
}

impl From<VertexStatus> for StepProgress {
    fn from(status: VertexStatus) -> StepProgress {
        StepProgress {
            step: status.vertex,
            name: if status.name.is_empty() { status.id } else { status.name },
            current: u64::try_from(status.current).unwrap_or_default(),
            total: u64::try_from(status.total).unwrap_or_default(),
        }
    }
}

impl From<VertexLog> for StepLog {
    fn from(log: VertexLog) -> StepLog {
        StepLog {
            step: log.vertex,
            at: log.timestamp.map_or_else(SystemTime::now, system_time),
            text: String::from_utf8_lossy(&log.msg).into_owned(),
        }
    }
}

impl From<VertexWarning> for StepWarning {
    fn from(warning: VertexWarning) -> StepWarning {
        let line = warning.ranges.first().and_then(|range| range.start).map_or(0, |start| start.line);
        StepWarning {
            message: String::from_utf8_lossy(&warning.short).into_owned(),
            file: warning.info.map(|info| info.filename).unwrap_or_default(),
            line: u32::try_from(line).unwrap_or_default(),
            url: warning.url,
        }
    }
}

pub(super) fn system_time(timestamp: Timestamp) -> SystemTime {
    let seconds = u64::try_from(timestamp.seconds).unwrap_or_default();
    let nanos = u32::try_from(timestamp.nanos).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::new(seconds, nanos)
}
