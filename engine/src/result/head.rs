//! What a result says of its job, without the text.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{JobStatus, Provenance, StageFailure, Timings};

/// A [`super::JobResult`] without text, segments and words: small, however long the recording. Read out of the same object.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ResultHead {
    pub job_id: String,
    #[serde(default)]
    pub run_id: String,
    pub status: JobStatus,
    #[serde(default)]
    pub errors: Vec<StageFailure>,
    pub language: String,
    pub duration_s: f64,
    pub llm: BTreeMap<String, serde_json::Value>,
    pub timings: Timings,
    pub provenance: Provenance,
}

impl ResultHead {
    /// Whether there is text: of a job that was cancelled, what was recognised before.
    pub fn has_transcript(&self) -> bool {
        self.provenance.has_transcript(self.status)
    }
}
