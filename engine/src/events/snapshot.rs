//! All that is known of a job at one moment, and what of it a stream has still to tell.

use std::{collections::BTreeMap, sync::Arc};

use serde::Serialize;

use super::ChunkSet;
use crate::{
    result::{JobStatus, Provenance},
    temporal::{progress::JobProgress, speed::Speed},
    transcript::Segment,
};

/// Something that happened to a job.
#[derive(Debug, Clone, PartialEq)]
pub enum JobEvent {
    Progress(Snapshot),
    /// A chunk's text is there. Chunks may come in any order.
    Segments {
        chunk: u32,
        segments: Arc<[Segment]>,
    },
    Done(Ended),
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ended {
    pub status: JobStatus,
    /// Why it failed, or which of its parts did.
    pub error: Option<String>,
    /// Of a job that has a result.
    #[serde(skip)]
    pub provenance: Option<Arc<Provenance>>,
}

/// A job at one moment; cheap to clone.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    pub progress: Arc<JobProgress>,
    /// While text is being recognised.
    pub speed: Option<Speed>,
    /// The text so far, by chunk.
    pub chunks: Arc<BTreeMap<u32, Arc<[Segment]>>>,
    pub ended: Option<Ended>,
}

impl Snapshot {
    /// What has to be told to somebody who was last told `before` and has got the text of `sent`.
    pub fn news(&self, before: Option<&Self>, sent: &ChunkSet) -> Vec<JobEvent> {
        let mut news = Vec::new();
        if before.is_none_or(|before| !before.is_as_far_as(self)) {
            news.push(JobEvent::Progress(self.clone()));
        }
        for (chunk, segments) in self.chunks.iter() {
            if !sent.contains(*chunk) {
                news.push(JobEvent::Segments { chunk: *chunk, segments: Arc::clone(segments) });
            }
        }
        news.extend(self.ended.clone().map(JobEvent::Done));
        news
    }

    /// Whether nothing but time has passed between the two.
    fn is_as_far_as(&self, other: &Self) -> bool {
        let elapsed_s = self.progress.elapsed_s;
        *self.progress == JobProgress { elapsed_s, ..JobProgress::clone(&other.progress) }
    }

    /// 0 to 100. Most of a job is recognition.
    pub fn percent(&self) -> f64 {
        const BEFORE_RECOGNITION: f64 = 5.0;
        const RECOGNITION: f64 = 85.0;
        let progress = &self.progress;
        let of = |done: u32, total: u32| f64::from(done) / f64::from(total.max(1));
        if self.ended.is_some() || progress.status.is_final() {
            100.0
        } else if progress.jobs_total > 0 {
            100.0 * of(progress.jobs_done, progress.jobs_total)
        } else if progress.is_segmented() {
            BEFORE_RECOGNITION + RECOGNITION * of(progress.chunks_done, progress.chunks_total)
        } else {
            0.0
        }
    }
}
