//! How progress is shown: as bars on a terminal, otherwise as a line whenever something has changed.

use std::time::Instant;

use engine::temporal::{
    progress::{JobKind, JobProgress, ModelDownload, Stage},
    speed::{Speed, SpeedEstimator},
};
use indicatif::{MultiProgress, ProgressBar};

use crate::{
    durations::format_clock,
    terminal::{bar_style, can_show_bars, note},
};

/// How many lines tell of a job's chunks, where lines are printed.
const LINES_PER_JOB: u32 = 10;

/// The display of all jobs of a command.
pub(super) struct ProgressDisplay {
    /// `None` where stderr is no terminal.
    bars: Option<MultiProgress>,
}

impl ProgressDisplay {
    pub(super) fn new() -> Self {
        Self { bars: can_show_bars().then(MultiProgress::new) }
    }

    pub(super) fn add(&self, name: &str) -> JobDisplay {
        let output = match &self.bars {
            Some(bars) => JobOutput::Bar(bars.add(bar(name))),
            None => JobOutput::Lines { name: name.to_owned(), last: None },
        };
        JobDisplay { output, speed: SpeedEstimator::default() }
    }
}

/// The display of one job; removed when dropped.
pub(super) struct JobDisplay {
    output: JobOutput,
    speed: SpeedEstimator,
}

enum JobOutput {
    Bar(ProgressBar),
    Lines { name: String, last: Option<LineKey> },
}

/// A line is printed when this differs from that of the last line.
#[derive(Debug, PartialEq, Eq)]
enum LineKey {
    NoAnswer,
    Step { stage: Stage, step: u32, download: Option<u64>, retries: Vec<(String, u32)> },
}

impl JobDisplay {
    pub(super) fn show(&mut self, progress: &JobProgress) {
        // The job's end is told with its result.
        if progress.status.is_final() || progress.stage == Stage::Done {
            return;
        }
        let text = describe(progress, self.speed.observe(progress, Instant::now()));
        match &mut self.output {
            JobOutput::Bar(bar) => {
                let (done, total) = counts(progress);
                bar.set_length(u64::from(total.max(1)));
                bar.set_position(u64::from(done));
                bar.set_message(text);
            }
            JobOutput::Lines { name, last } => {
                let key = Some(line_key(progress));
                if *last != key {
                    note(&format!("{name}: {text}"));
                    *last = key;
                }
            }
        }
    }

    /// The server gives no answer: the job may well go on, but nothing is known of it.
    pub(super) fn show_no_answer(&mut self) {
        const NO_ANSWER: &str = "Temporal does not answer; still trying";
        match &mut self.output {
            JobOutput::Bar(bar) => bar.set_message(NO_ANSWER),
            JobOutput::Lines { name, last } => {
                if *last != Some(LineKey::NoAnswer) {
                    note(&format!("{name}: {NO_ANSWER}"));
                    *last = Some(LineKey::NoAnswer);
                }
            }
        }
    }
}

impl Drop for JobDisplay {
    fn drop(&mut self) {
        if let JobOutput::Bar(bar) = &self.output {
            bar.finish_and_clear();
        }
    }
}

fn bar(name: &str) -> ProgressBar {
    const WIDEST_NAME: usize = 24;
    let bar = ProgressBar::no_length().with_prefix(console::truncate_str(name, WIDEST_NAME, "…").into_owned());
    bar.with_style(bar_style("{prefix} {bar:24} {wide_msg}").progress_chars("━━╌"))
}

/// What is done and how much there is: jobs of a batch, chunks of a recording.
fn counts(progress: &JobProgress) -> (u32, u32) {
    match progress.kind {
        JobKind::Batch => (progress.jobs_done, progress.jobs_total),
        JobKind::Transcribe | JobKind::Llm => (progress.chunks_done, progress.chunks_total),
    }
}

fn line_key(progress: &JobProgress) -> LineKey {
    let (done, total) = counts(progress);
    let retries = progress.retries.iter().map(|retry| (retry.stage.clone(), retry.attempt));
    let downloaded = progress.download.as_ref().and_then(ModelDownload::percent);
    LineKey::Step {
        stage: progress.stage,
        step: LINES_PER_JOB * done / total.max(1),
        download: downloaded.map(|percent| percent * u64::from(LINES_PER_JOB) / 100),
        retries: retries.collect(),
    }
}

fn describe(progress: &JobProgress, speed: Option<Speed>) -> String {
    let mut parts = vec![what_goes_on(progress)];
    if let Some(speed) = speed {
        parts.push(format!("{:.1} x real time", speed.times_real_time));
        parts.push(format!("{} left", format_clock(speed.seconds_left)));
    }
    for retry in &progress.retries {
        parts.push(format!("attempt {} of {} after: {}", retry.attempt, retry.stage, retry.message));
    }
    parts.join(", ")
}

fn what_goes_on(progress: &JobProgress) -> String {
    let (done, total) = counts(progress);
    match (&progress.download, progress.kind, progress.stage) {
        (Some(download), ..) => download.to_string(),
        (.., Stage::Queued) => "waiting for a worker".to_owned(),
        (_, JobKind::Batch, _) => format!("{done} of {total} jobs"),
        (.., Stage::Ingest) if progress.ingested_s > 0.0 => {
            format!("ingest, {} read", format_clock(progress.ingested_s))
        }
        (.., Stage::Transcribe) => format!("transcribe, {done} of {total} chunks"),
        (.., stage) => stage.to_string(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use engine::{
        result::JobStatus,
        temporal::progress::{JobKind, JobProgress, ModelDownload, Retry, Stage},
    };

    use super::{Speed, describe, line_key};

    /// 200 s of audio in 20 chunks.
    pub(in crate::job_watcher) fn progress(stage: Stage, chunks_done: u32) -> JobProgress {
        let job = JobProgress::new("job-1", JobKind::Transcribe, JobStatus::Running);
        JobProgress { stage, chunks_done, chunks_total: 20, duration_s: 200.0, elapsed_s: 1.0, ..job }
    }

    #[test]
    fn a_line_says_what_happens() {
        let speed = Some(Speed { times_real_time: 12.34, seconds_left: 83.0 });
        let retry = Retry { stage: "ingest".to_owned(), attempt: 2, message: "no route".to_owned() };
        let batch = JobProgress { kind: JobKind::Batch, jobs_done: 3, jobs_total: 9, ..progress(Stage::Transcribe, 0) };
        let download =
            ModelDownload { model: "large-v3".to_owned(), bytes_done: 1_060_000_000, bytes_total: 3_095_033_483 };
        for (progress, speed, text) in [
            (
                JobProgress { download: Some(download), ..progress(Stage::Prepare, 0) },
                None,
                "downloading model large-v3, 34 %",
            ),
            (progress(Stage::Queued, 0), None, "waiting for a worker"),
            (JobProgress { ingested_s: 75.0, ..progress(Stage::Ingest, 0) }, None, "ingest, 1:15 read"),
            (progress(Stage::Transcribe, 7), speed, "transcribe, 7 of 20 chunks, 12.3 x real time, 1:23 left"),
            (progress(Stage::Llm, 20), None, "llm"),
            (batch, None, "3 of 9 jobs"),
            (
                JobProgress { retries: vec![retry], ..progress(Stage::Ingest, 0) },
                None,
                "ingest, attempt 2 of ingest after: no route",
            ),
        ] {
            assert_eq!(describe(&progress, speed), text);
        }
    }

    #[test]
    fn lines_do_not_flood() {
        let mut keys: Vec<_> = (0..=20).map(|done| line_key(&progress(Stage::Transcribe, done))).collect();
        keys.dedup();
        assert_eq!(keys.len(), 11);
    }
}
