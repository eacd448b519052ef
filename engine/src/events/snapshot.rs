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

    /// 0 to 100, and less than that for what was cancelled or failed. Most of a job is recognition.
    pub fn percent(&self) -> f64 {
        const BEFORE_RECOGNITION: f64 = 5.0;
        const RECOGNITION: f64 = 85.0;
        let progress = &self.progress;
        let of = |done: u32, total: u32| f64::from(done) / f64::from(total.max(1));
        if progress.status.has_transcript() {
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Snapshot;
    use crate::{
        result::JobStatus,
        temporal::progress::{JobKind, JobProgress},
    };

    #[test]
    fn a_job_that_ended_early_is_as_far_as_it_came() {
        for (status, chunks_done, stage, percent) in [
            (JobStatus::Running, 30, "queued", 13.5),
            (JobStatus::Completed, 300, "done", 100.0),
            (JobStatus::CompletedWithErrors, 300, "done", 100.0),
            (JobStatus::Cancelled, 30, "cancelled", 13.5),
            (JobStatus::Failed, 0, "failed", 5.0),
        ] {
            let job = JobProgress::new("talk", JobKind::Transcribe, status);
            let progress = JobProgress { chunks_done, chunks_total: 300, duration_s: 9_000.0, ..job };
            assert_eq!(progress.stage.to_string(), stage);
            let snapshot = Snapshot { progress: Arc::new(progress), speed: None, chunks: Arc::default(), ended: None };
            assert!((snapshot.percent() - percent).abs() < 0.01, "{status}: {}", snapshot.percent());
        }
    }
}
