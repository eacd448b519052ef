//! How fast the recogniser gets on, and how long it will take.

use std::time::Instant;

use serde::Serialize;

use super::progress::{JobProgress, Stage};

/// Measures one job from the moment it is first seen at recognition: what was done before that
/// moment, by an earlier run or before `watch` was called, tells nothing of the speed.
#[derive(Debug, Default)]
pub struct SpeedEstimator {
    first: Option<(Instant, u32)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Speed {
    /// Seconds of audio in a second.
    pub times_real_time: f64,
    pub seconds_left: f64,
}

impl SpeedEstimator {
    /// `None` until a chunk has been finished in sight, and the whole recording has been segmented.
    pub fn observe(&mut self, progress: &JobProgress, now: Instant) -> Option<Speed> {
        if progress.stage != Stage::Transcribe || progress.chunks_total == 0 {
            return None;
        }
        let (since, done_before) = *self.first.get_or_insert((now, progress.chunks_done));
        let seconds = now.duration_since(since).as_secs_f64();
        let done = progress.chunks_done.saturating_sub(done_before);
        if done == 0 || seconds <= 0.0 || !progress.is_segmented() {
            return None;
        }
        let chunks_per_second = f64::from(done) / seconds;
        let chunk_s = progress.duration_s / f64::from(progress.chunks_total);
        let left = progress.chunks_total.saturating_sub(progress.chunks_done);
        Some(Speed { times_real_time: chunks_per_second * chunk_s, seconds_left: f64::from(left) / chunks_per_second })
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{JobProgress, Speed, SpeedEstimator, Stage};
    use crate::{result::JobStatus, temporal::progress::JobKind};

    /// 200 s of audio in 20 chunks.
    fn progress(stage: Stage, chunks_done: u32) -> JobProgress {
        let job = JobProgress::new("job-1", JobKind::Transcribe, JobStatus::Running);
        JobProgress { stage, chunks_done, chunks_total: 20, duration_s: 200.0, elapsed_s: 1.0, ..job }
    }

    #[test]
    fn speed_counts_from_the_first_sight() {
        let begin = Instant::now();
        let mut estimator = SpeedEstimator::default();
        for (second, stage, done, speed) in [
            (0, Stage::Ingest, 0, None),
            (2, Stage::Transcribe, 4, None),
            (3, Stage::Transcribe, 4, None),
            (4, Stage::Transcribe, 6, Some(Speed { times_real_time: 10.0, seconds_left: 14.0 })),
            (12, Stage::Transcribe, 20, Some(Speed { times_real_time: 16.0, seconds_left: 0.0 })),
            (13, Stage::Assemble, 20, None),
        ] {
            let now = begin + Duration::from_secs(second);
            assert_eq!(estimator.observe(&progress(stage, done), now), speed, "at {second} s");
        }
    }
}
