//! Jobs that have ended: their results, what is reported of them, and the exit code.

use anyhow::bail;
use engine::{
    result::{JobResult, JobStatus, Provenance, StageFailure},
    store::Store,
    temporal::client::JobEnd,
};

use crate::{
    durations::format_duration,
    exit::Exit,
    job_watcher::StartedJob,
    output::{NamedResult, Output},
    terminal::note,
};

/// A job that has ended, whatever its end.
pub(crate) struct FinishedJob {
    id: String,
    named: NamedResult,
    status: JobStatus,
    failure: Option<String>,
}

impl FinishedJob {
    /// Reads what the job left in the store.
    ///
    /// # Errors
    /// A finished job without a result: the store is not the one that the workers use.
    pub(crate) async fn collect(store: &Store, started: StartedJob, end: JobEnd) -> anyhow::Result<Self> {
        let StartedJob { id, name } = started;
        let result = store.find_result(&id).await?;
        let status = match &result {
            // An LLM task that was run again later can have mended what Temporal remembers.
            Some(result) if end.status.has_transcript() => result.status,
            None if end.status.has_transcript() => bail!(
                "{id} is {}, but its result is not in the store; set LONGHAND_STORE to the store of the workers",
                end.status
            ),
            _ => end.status,
        };
        Ok(Self { id, named: NamedResult { name, result }, status, failure: end.failure })
    }

    /// As it lies in the store, for a job that Temporal is not asked about.
    pub(crate) fn from_result(result: JobResult) -> Self {
        Self {
            id: result.job_id.clone(),
            status: result.status,
            named: NamedResult { name: result.job_id.clone(), result: Some(result) },
            failure: None,
        }
    }

    /// Says how the job ended.
    fn report(&self) {
        let Self { id, named, .. } = self;
        let job = if named.name == *id { id.clone() } else { format!("{} ({id})", named.name) };
        let errors = named.result.iter().flat_map(|result| &result.errors);
        match (self.status, &named.result) {
            (JobStatus::Completed, Some(result)) => {
                let (audio, wall) = (format_duration(result.duration_s), format_duration(result.timings.wall_s));
                note(&format!("{job}: completed, {audio} of audio in {wall}"));
            }
            (JobStatus::CompletedWithErrors, _) => errors.for_each(|failure| {
                note(&format!("warning: {job} has its transcript, but {} failed: {}", failure.stage, failure.message));
                if let Some(hint) = retry_hint(id, failure) {
                    note(&format!("hint: {hint}"));
                }
            }),
            (JobStatus::Running, _) => {
                note(&format!("{job} goes on: its text is there, what the language model makes of it is not yet"))
            }
            (JobStatus::Cancelled, Some(result)) if result.has_transcript() => {
                let Provenance { chunks_computed, chunks_reused, chunks_total, .. } = result.provenance;
                let chunks = chunks_computed + chunks_reused;
                note(&format!("{job} was cancelled: this is the text of {chunks} of {chunks_total} chunks"));
            }
            (JobStatus::Cancelled, _) => note(&format!("{job} was cancelled")),
            _ => {
                let messages: Vec<_> =
                    errors.map(|failure| format!("{}: {}", failure.stage, failure.message)).collect();
                let reason =
                    if messages.is_empty() { self.failure.clone().unwrap_or_default() } else { messages.join("; ") };
                note(&format!("error: {job} failed: {reason}"));
            }
        }
    }
}

fn retry_hint(id: &str, failure: &StageFailure) -> Option<String> {
    let flags = match failure.stage.strip_prefix("llm:")? {
        "ask" => "--ask TEXT".to_owned(),
        task => format!("--task {task}"),
    };
    Some(format!("`longhand llm {id} {flags}` runs it again"))
}

/// Reports how the jobs ended, writes their results, and gives the exit code.
pub(crate) fn report_and_write(ended: Vec<FinishedJob>, output: &Output) -> anyhow::Result<Exit> {
    ended.iter().for_each(FinishedJob::report);
    for job in &ended {
        if job.named.result.as_ref().is_some_and(|result| output.leaves_out_answers(result)) {
            note(&format!("hint: `longhand result {}` has the LLM's answers, too", job.id));
        }
    }
    let is_well = |job: &FinishedJob| job.status.has_transcript() || job.status == JobStatus::Running;
    let all_well = ended.iter().all(is_well);
    let results: Vec<NamedResult> = ended.into_iter().map(|job| job.named).collect();
    output.write(&results)?;
    Ok(if all_well { Exit::Done } else { Exit::JobFailed })
}
