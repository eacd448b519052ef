//! Jobs that have ended: what they left, what is said about them, and the exit code they make.

use anyhow::bail;
use engine::{
    result::{JobResult, JobStatus, StageFailure},
    store::{Store, keys},
    temporal::client::JobEnd,
};

use crate::{
    delivery::{Named, Output},
    durations::took,
    exit::Exit,
    follow::Started,
    terminal::note,
};

/// One job's end.
pub(crate) struct Ended {
    id: String,
    named: Named,
    status: JobStatus,
    failure: Option<String>,
}

impl Ended {
    /// Reads what the job left in the store.
    ///
    /// # Errors
    /// A finished job without a result: the store is not the one that the workers use.
    pub(crate) async fn collect(store: &Store, started: Started, end: JobEnd) -> anyhow::Result<Self> {
        let Started { id, name } = started;
        let result: Option<JobResult> = store.find_json(&keys::result(&id)).await?;
        let status = match &result {
            // An LLM task that was run again later can have mended what Temporal remembers.
            Some(result) if end.status.has_transcript() => result.status,
            None if end.status.has_transcript() => bail!(
                "{id} is {}, but its result is not in the store; set LONGHAND_STORE to the store of the workers",
                end.status
            ),
            _ => end.status,
        };
        Ok(Self { id, named: Named { name, result }, status, failure: end.failure })
    }

    /// As it lies in the store, for a job that Temporal is not asked about.
    pub(crate) fn from_result(result: JobResult) -> Self {
        Self {
            id: result.job_id.clone(),
            status: result.status,
            named: Named { name: result.job_id.clone(), result: Some(result) },
            failure: None,
        }
    }

    /// Says how the job ended.
    fn remark(&self) {
        let Self { id, named, .. } = self;
        let job = if named.name == *id { id.clone() } else { format!("{} ({id})", named.name) };
        let errors = named.result.iter().flat_map(|result| &result.errors);
        match (self.status, &named.result) {
            (JobStatus::Completed, Some(result)) => {
                let (audio, wall) = (took(result.duration_s), took(result.timings.wall_s));
                note(&format!("{job}: completed, {audio} of audio in {wall}"));
            }
            (JobStatus::CompletedWithErrors, _) => errors.for_each(|failure| {
                note(&format!("warning: {job} has its transcript, but {} failed: {}", failure.stage, failure.message));
                if let Some(again) = again(id, failure) {
                    note(&format!("hint: {again}"));
                }
            }),
            (JobStatus::Cancelled, _) => note(&format!("{job} was cancelled")),
            _ => {
                let told: Vec<_> = errors.map(|failure| format!("{}: {}", failure.stage, failure.message)).collect();
                let reason = if told.is_empty() { self.failure.clone().unwrap_or_default() } else { told.join("; ") };
                note(&format!("error: {job} failed: {reason}"));
            }
        }
    }
}

fn again(id: &str, failure: &StageFailure) -> Option<String> {
    let flags = match failure.stage.strip_prefix("llm:")? {
        "ask" => "--ask TEXT".to_owned(),
        task => format!("--task {task}"),
    };
    Some(format!("`longhand llm {id} {flags}` runs it again"))
}

/// Hands the results over, says how the jobs ended, and settles the exit code.
pub(crate) fn hand_over(ended: Vec<Ended>, output: &Output) -> anyhow::Result<Exit> {
    ended.iter().for_each(Ended::remark);
    for job in &ended {
        if job.named.result.as_ref().is_some_and(|result| output.leaves_out_answers(result)) {
            note(&format!("hint: `longhand result {}` has the LLM's answers, too", job.id));
        }
    }
    let all_well = ended.iter().all(|job| job.status.has_transcript());
    let results: Vec<Named> = ended.into_iter().map(|job| job.named).collect();
    output.deliver(&results)?;
    Ok(if all_well { Exit::Done } else { Exit::JobFailed })
}
