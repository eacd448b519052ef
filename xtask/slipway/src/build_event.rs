//! The one interface between building and everything that tells about it: progress, timings
//! and reports are plain consumers of these events. They know nothing of BuildKit.

use std::time::{Duration, SystemTime};

use serde::{Serialize, Serializer};

/// A time since the build began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Moment(pub(crate) Duration);

impl Moment {
    pub(crate) fn seconds(self) -> f64 {
        self.0.as_secs_f64()
    }

    /// Zero where `earlier` is later.
    pub(crate) fn since(self, earlier: Moment) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

/// In milliseconds, because that is what readers of JSON expect.
impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64((self.seconds() * 1e6).round() / 1e3)
    }
}

/// Turns the engine's clock into moments of this build.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    pub(crate) began: SystemTime,
}

impl Clock {
    pub(crate) fn start() -> Clock {
        Clock { began: SystemTime::now() }
    }

    pub(crate) fn now(self) -> Moment {
        self.moment(SystemTime::now())
    }

    /// What happened before this build began, as a step that another build had started already,
    /// counts from its beginning.
    pub(crate) fn moment(self, time: SystemTime) -> Moment {
        Moment(time.duration_since(self.began).unwrap_or_default())
    }
}

/// Something that happened to an image or to one of its steps.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum BuildEvent {
    ImageStarted {
        image: String,
        at: Moment,
        /// Why it is solved and not known to be unchanged.
        because: String,
    },
    /// It is built by a daemon other than the engine.
    ImagePlaced {
        image: String,
        builder: String,
    },
    /// It begins once more; what was told of its steps does not count.
    ImageRestarted {
        image: String,
    },
    Step {
        image: String,
        step: StepUpdate,
    },
    Progress {
        image: String,
        step: String,
        name: String,
        current: u64,
        total: u64,
    },
    Log {
        image: String,
        step: String,
        at: Moment,
        text: String,
    },
    Warning {
        image: String,
        message: String,
        file: String,
        line: u32,
        url: String,
    },
    /// Something that is said at once, and is no part of any step.
    Announcement {
        text: String,
    },
    /// Something about the whole build that its user should know.
    Notice {
        message: String,
    },
    /// Bytes that went out to the engine in all, once every image has ended.
    ContextSent {
        bytes: u64,
    },
    ImageFinished {
        image: String,
        at: Moment,
        outcome: ImageOutcome,
    },
}

/// The state of a step as of now; a step may start more than once.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct StepUpdate {
    pub(crate) digest: String,
    pub(crate) name: String,
    pub(crate) inputs: Vec<String>,
    pub(crate) cached: bool,
    pub(crate) started: Option<Moment>,
    pub(crate) completed: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub(crate) enum ImageOutcome {
    Built {
        digest: String,
        size: u64,
    },
    /// Nothing that goes into it has changed since it was built last, and the engine has it.
    Unchanged {
        digest: String,
        size: u64,
    },
    Failed(Failure),
    /// Stopped because another image failed, or by the user.
    Cancelled,
    /// Never begun, because an image that it is built on was not built.
    Skipped {
        because: String,
    },
}

impl ImageOutcome {
    /// The digest and the size of the image that the engine has now; none where it has not.
    pub(crate) fn image(&self) -> Option<(&str, u64)> {
        match self {
            Self::Built { digest, size } | Self::Unchanged { digest, size } => Some((digest, *size)),
            Self::Failed(_) | Self::Cancelled | Self::Skipped { .. } => None,
        }
    }
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Failure {
    pub(crate) message: String,
    /// The digest of the step that failed.
    pub(crate) step: Option<String>,
    /// The first and the last line of its instruction in the Dockerfile, counted from 1.
    pub(crate) lines: Option<(usize, usize)>,
    pub(crate) engine_lost: bool,
}
