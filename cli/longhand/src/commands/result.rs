//! `longhand result`: what a job gave, read from the store.

use anyhow::bail;
use clap::Args;
use engine::{
    ids::JobId,
    result::JobResult,
    store::Store,
    temporal::client::{ClientError, Jobs},
};

use crate::{
    connection::open_store,
    exit::Exit,
    finished_job::{FinishedJob, report_and_write},
    output::OutputFlags,
};

#[derive(Args)]
#[command(after_help = "\
Needs the store only, no server. Exit code 1 where the job failed or was cancelled.

Examples:
  longhand result job-0190163c
  longhand result job-0190163c --format srt -o talk.srt
  longhand result job-0190163c --json | jq .llm.summary")]
pub(crate) struct ResultArgs {
    /// The job, as `longhand list` names it
    #[arg(value_name = "ID")]
    id: JobId,
    #[command(flatten)]
    output: OutputFlags,
}

pub(crate) async fn run(args: ResultArgs) -> anyhow::Result<Exit> {
    let output = args.output.resolve(1)?;
    let store = open_store()?;
    let result = find(&store, args.id.as_str()).await?;
    report_and_write(vec![FinishedJob::from_result(result)], &output)
}

/// The result, or what is there of it while the job goes on.
///
/// # Errors
/// Neither, with what Temporal knows of the job.
async fn find(store: &Store, id: &str) -> anyhow::Result<JobResult> {
    if let Some(result) = store.find_result(id).await? {
        return Ok(result);
    }
    let progress = match Jobs::connect().await {
        Ok(jobs) => jobs.progress(id).await?,
        Err(ClientError::Unreachable { .. }) => bail!(
            "{id} has no result in the store; check the id and LONGHAND_STORE (Temporal, which could tell more, cannot be reached)"
        ),
        Err(error) => return Err(error.into()),
    };
    if progress.status.is_final() {
        bail!("{id} is {}, but left no result in the store; `longhand watch {id}` says why", progress.status);
    }
    // Its text is there before what language models make of it.
    if let Some(transcript) = store.find_transcript(id, &progress.run_id).await? {
        return Ok(JobResult::so_far(id.to_owned(), transcript));
    }
    bail!("{id} has no result yet; `longhand watch {id}` follows it")
}
