//! What a user should know of a transcript that was made all the same.

use serde::{Deserialize, Serialize};

/// Something that may have cost a part of the transcript.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Warning {
    pub code: WarningCode,
    /// What happened, to what, and what to do about it.
    pub message: String,
    /// Where in the recording, in seconds, if it concerns a stretch of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<f64>,
}

/// The kinds of warnings, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum WarningCode {
    /// The recording ends before its header says, or is damaged from somewhere on.
    EndsEarly,
    /// There were more audio tracks than the one that was transcribed.
    OtherTracks,
    /// Channels that cancel each other out, or are silent.
    Channels,
    /// Speech was heard where nothing was recognised.
    UnrecognisedSpeech,
    /// The prompt or the hotwords were longer than what the model takes, and were cut.
    PromptCut,
}
