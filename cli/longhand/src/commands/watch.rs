//! `longhand watch`: follows a job that is under way, or that has ended already.

use anyhow::ensure;
use clap::Args;
use engine::{ids::JobId, temporal::progress::JobKind};

use super::{batch, llm};
use crate::{
    connection::Connection,
    exit::Exit,
    finished_job::{FinishedJob, report_and_write},
    job_watcher::{Outcome, StartedJob, watch_job},
    output::OutputFlags,
};

#[derive(Args)]
#[command(after_help = "\
Prints the result as `transcribe` does, of an LLM task its answer, and of a batch its table. \
Exit code 1 where the job failed or was cancelled.

Examples:
  longhand watch job-0190163c
  longhand watch job-0190163c --format vtt -o talk.vtt")]
pub(crate) struct WatchArgs {
    /// The job, batch or LLM task, as `longhand list` names it
    #[arg(value_name = "ID")]
    id: JobId,
    #[command(flatten)]
    output: OutputFlags,
}

pub(crate) async fn run(args: WatchArgs) -> anyhow::Result<Exit> {
    let output = args.output.resolve(1)?;
    let Connection { jobs, store } = Connection::open().await?;
    let id = args.id.as_str();
    let kind = jobs.progress(id).await?.kind;
    if kind != JobKind::Transcribe {
        ensure!(args.output.is_plain(), "{id} is of kind {kind}, which has no transcript: leave --format and -o out");
    }
    let end = match watch_job(&jobs, id).await? {
        Outcome::Finished(end) => end,
        Outcome::Interrupted(exit) => return Ok(exit),
    };
    match kind {
        JobKind::Transcribe => {
            let started = StartedJob { id: id.to_owned(), name: id.to_owned() };
            report_and_write(vec![FinishedJob::collect(&store, started, end).await?], &output)
        }
        JobKind::Llm => llm::print_answer(&store, id, &end, args.output.json).await,
        JobKind::Batch => batch::report::print(&store, id, &end, None, args.output.json).await,
    }
}
