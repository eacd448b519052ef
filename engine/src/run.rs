//! Which run of a job made what lies in the store.

use crate::{
    llm::LlmAnswer,
    result::{JobResult, ResultHead},
    transcript::Transcript,
};

/// What a run of a job leaves for others to read.
pub trait OfRun {
    /// The workflow run that made it.
    fn run_id(&self) -> &str;

    /// Whether it is the run's. Of what tells no run, or where none is asked for, nothing else is known.
    fn is_of(&self, run_id: &str) -> bool {
        run_id.is_empty() || self.run_id().is_empty() || self.run_id() == run_id
    }
}

impl OfRun for Transcript {
    fn run_id(&self) -> &str {
        &self.run_id
    }
}

impl OfRun for LlmAnswer {
    fn run_id(&self) -> &str {
        &self.run_id
    }
}

impl OfRun for JobResult {
    fn run_id(&self) -> &str {
        &self.run_id
    }
}

impl OfRun for ResultHead {
    fn run_id(&self) -> &str {
        &self.run_id
    }
}
