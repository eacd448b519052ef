//! What can be asked of a language model once the transcript is there.

use serde::{Deserialize, Serialize};

/// Work for the language model.
// Each piece is an activity of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum LlmTask {
    Summary,
    Chapters,
    Actions,
    Ask(Question),
}

/// A task that needs no words of the user's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PresetTask {
    Summary,
    Chapters,
    Actions,
}

/// A question about the transcript.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Question {
    pub text: String,
    /// JSON schema that the answer has to satisfy; without one the answer is plain text.
    #[serde(default)]
    pub schema: Option<serde_json::Value>,
}

impl LlmTask {
    /// The names of all tasks.
    pub const NAMES: [&str; 4] = ["summary", "chapters", "actions", "ask"];

    /// The task's key in the result's `llm` object.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Summary => "summary",
            Self::Chapters => "chapters",
            Self::Actions => "actions",
            Self::Ask(_) => "ask",
        }
    }
}

impl From<PresetTask> for LlmTask {
    fn from(task: PresetTask) -> Self {
        match task {
            PresetTask::Summary => Self::Summary,
            PresetTask::Chapters => Self::Chapters,
            PresetTask::Actions => Self::Actions,
        }
    }
}

/// What a task gave, as it lies in the store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LlmAnswer {
    /// `summary`: a string. `chapters`: `[{"title", "start", "end"}]`, times in seconds of the
    /// recording. `actions`: a list of strings. `ask`: a string, or what the schema describes.
    /// Where nothing was said it is empty, or null for an `ask` with a schema.
    pub output: serde_json::Value,
    pub usage: LlmUsage,
    /// The workflow run whose transcript was asked about.
    #[serde(default)]
    pub run_id: String,
}

/// What a task took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LlmUsage {
    /// `openai` or `local`.
    pub provider: String,
    pub model: String,
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
    /// Calls to the model: more than one for map-reduce or a repaired answer.
    pub calls: u32,
}
