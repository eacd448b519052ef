//! `longhand result`: what a job gave, read from the store.

use anyhow::bail;
use clap::Args;
use engine::{
    ids::JobId,
    partial::PartialJob,
    result::JobResult,
    run::OfRun,
    store::Store,
    temporal::{
        client::{ClientError, Jobs},
        progress::{JobKind, JobProgress},
    },
};

use crate::{
    connection::open_store,
    exit::Exit,
    finished_job::{FinishedJob, report_and_write},
    output::OutputFlags,
};

#[derive(Args)]
#[command(after_help = "\
Needs the store only, no server, but for a job that goes on. Exit code 1 where the job failed or was cancelled.

Examples:
  longhand result job-0190163c
  longhand result job-0190163c --partial             # the text so far, while it goes on
  longhand result job-0190163c --format vtt --highlight-words --line-length 32 -o talk.vtt
  longhand result job-0190163c --json | jq .llm.summary")]
pub(crate) struct ResultArgs {
    /// The job, as `longhand list` names it
    #[arg(value_name = "ID")]
    id: JobId,
    /// The text so far, of a job that goes on or ended before its time
    #[arg(long)]
    partial: bool,
    #[command(flatten)]
    output: OutputFlags,
}

pub(crate) async fn run(args: ResultArgs) -> anyhow::Result<Exit> {
    let output = args.output.resolve(1)?;
    let store = open_store()?;
    let result = find(&store, args.id.as_str(), args.partial).await?;
    report_and_write(vec![FinishedJob::from_result(result)], &output)
}

/// The result, or what is there of it while the job goes on.
///
/// # Errors
/// Neither, with what Temporal knows of the job.
async fn find(store: &Store, id: &str, partial: bool) -> anyhow::Result<JobResult> {
    let stored = match store.find_result(id).await? {
        Some(result) if !partial || result.status.has_transcript() => return Ok(result),
        stored => stored,
    };
    let (jobs, stored) = match (Jobs::connect().await, stored) {
        (Ok(jobs), stored) => (jobs, stored),
        // It may be at work again, which nobody can tell.
        (Err(ClientError::Unreachable { .. }), Some(result)) => return Ok(result),
        (Err(ClientError::Unreachable { .. }), None) => bail!(
            "{id} has no result in the store; check the id and LONGHAND_STORE (Temporal, which could tell more, cannot be reached)"
        ),
        (Err(error), _) => return Err(error.into()),
    };
    let progress = match (jobs.progress(id).await, &stored) {
        (Err(ClientError::NotFound { .. }), Some(result)) => {
            JobProgress { run_id: result.run_id.clone(), ..JobProgress::new(id, JobKind::Transcribe, result.status) }
        }
        (progress, _) => progress?,
    };
    let stored = stored.filter(|result| result.is_of(&progress.run_id));
    if progress.status.is_final() && stored.is_none() {
        bail!("{id} is {}, but left no result in the store; `longhand watch {id}` says why", progress.status);
    }
    if let Some(result) = stored.filter(JobResult::has_transcript) {
        return Ok(result);
    }
    // Its text is there before what language models make of it.
    if let Some(transcript) = store.find_transcript(id, &progress.run_id).await? {
        return Ok(JobResult { name: progress.name, ..JobResult::so_far(id.to_owned(), transcript) });
    }
    if !partial {
        bail!("{id} has no result yet; `longhand watch {id}` follows it, --partial gives the text so far");
    }
    part(store, id, &progress).await
}

async fn part(store: &Store, id: &str, progress: &JobProgress) -> anyhow::Result<JobResult> {
    if progress.kind != JobKind::Transcribe {
        bail!("{id} is of kind {}, which has no text of its own; name a job of one recording", progress.kind);
    }
    let head = store.find_result_head(id).await?.filter(|head| head.is_of(&progress.run_id));
    let part = head.map_or_else(|| PartialJob::from(progress), |head| PartialJob::from(&head));
    Ok(part.text(store, id).await?)
}
