//! What plans are called: everything that they depend on besides the recording. What is asked for as ever has no name in
//! it, so that plans of before are found. A recording that has to be whole is segmented as any other.

use engine::{
    config::IngestSettings,
    job::{AudioOptions, Channels, Track},
    plan::Plan,
    store::keys,
};

/// Names the rules by which speech is found and segmented. Changes whenever they do, for a plan in
/// the store is never changed.
const VERSION: &str = "v3";

/// Names the rules for recordings of several channels: those of [`VERSION`], by which all were mixed alike, are not theirs.
const VERSION_OF_CHANNELS: &str = "v4";

/// Where the plan of a recording may lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlanFolders {
    /// Of one channel: what becomes of several changes nothing.
    pub(crate) mono: String,
    /// Of several.
    pub(crate) channels: String,
}

impl PlanFolders {
    pub(crate) fn of(sha256: &str, settings: &IngestSettings, audio: AudioOptions) -> Self {
        let seconds = settings.unit_seconds;
        let treated = match audio.channels {
            Channels::Auto => "",
            Channels::Mix => "-mix",
            Channels::Split => "-split",
        };
        let track = match audio.track {
            None => String::new(),
            Some(Track::All) => "-all-tracks".to_owned(),
            Some(Track::Number(number)) => format!("-track-{number}"),
        };
        Self {
            mono: keys::plan_folder(sha256, &format!("{VERSION}-{seconds}s{track}")),
            channels: keys::plan_folder(sha256, &format!("{VERSION_OF_CHANNELS}-{seconds}s{treated}{track}")),
        }
    }

    pub(crate) fn folder(&self, is_mono: bool) -> &str {
        if is_mono { &self.mono } else { &self.channels }
    }

    pub(crate) fn both(&self) -> [&str; 2] {
        [&self.mono, &self.channels]
    }

    /// Whether a plan that is found in one of them is of these rules: with those of one channel lie plans of before, too, of
    /// recordings whose channels were mixed whatever they were.
    pub(crate) fn is_theirs(&self, folder: &str, plan: &Plan) -> bool {
        folder == self.channels || plan.format.channels == 1
    }
}
