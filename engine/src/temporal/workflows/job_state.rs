//! What a running job knows of itself; the workflow holds it, and the parts of the job change it.

use temporalio_sdk::WorkflowContext;

use super::{continued::Continued, segmentation::Segmentation};
use crate::temporal::{
    contracts::{Ingested, SegmentationProgress},
    progress::{Stage, WorkflowProgress},
};

#[derive(Debug, Default)]
pub(super) struct JobState {
    pub(super) progress: WorkflowProgress,
    pub(super) segmentation: Segmentation,
}

impl JobState {
    /// More of the recording is in the store.
    pub(super) fn extend(&mut self, reported: SegmentationProgress) {
        self.segmentation.extend(reported);
        self.segmentation.show(&mut self.progress);
    }

    /// All of it is.
    pub(super) fn complete(&mut self, ingested: &Ingested) {
        self.segmentation.complete(ingested);
        self.segmentation.show(&mut self.progress);
        self.progress.duration_s = ingested.duration_s;
    }

    /// As an earlier run left it.
    pub(super) fn resume(&mut self, continued: &Continued) {
        self.complete(&continued.ingested);
        self.progress.chunks_done = continued.chunks_done;
        self.progress.decode_config_hash.clone_from(&continued.prepared.decode_config_hash);
    }
}

pub(super) fn enter<W: AsMut<JobState>>(ctx: &WorkflowContext<W>, stage: Stage) {
    ctx.state_mut(|workflow| workflow.as_mut().progress.stage = stage);
}
