//! `longhand llm`: an LLM task on a transcript that is there already.

use anyhow::{Context, ensure};
use clap::{ArgGroup, Args};
use engine::{
    formats::answer,
    ids::JobId,
    llm::{LlmAnswer, LlmTask, PresetTask},
    store::{Store, keys},
    temporal::client::JobEnd,
};
use serde_json::json;

use crate::{
    connection::Connection,
    exit::Exit,
    job_watcher::{Outcome, watch_job},
    request::AskFlags,
    terminal::{note, print, print_json},
};

#[derive(Args)]
#[command(group = ArgGroup::new("what").args(["task", "ask"]).required(true))]
#[command(after_help = "\
The answer is printed and replaces the one of the same name in the job's result.

Examples:
  longhand llm job-0190163c --task summary
  longhand llm job-0190163c --ask 'Who speaks?' --schema speakers.json --json")]
pub(crate) struct LlmArgs {
    /// The job whose transcript is worked on
    #[arg(value_name = "ID")]
    id: JobId,
    /// A task that needs no words of yours
    #[arg(long, value_enum)]
    task: Option<PresetTask>,
    #[command(flatten)]
    ask: AskFlags,
    /// Print {job_id, task, output, usage}
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: LlmArgs) -> anyhow::Result<Exit> {
    let task = args.task.map(LlmTask::from).or(args.ask.resolve()?).context("name a --task or --ask a question")?;
    let Connection { jobs, store } = Connection::open().await?;
    let id = args.id.as_str();
    let transcribed = store.exists(&keys::transcript(id)).await?;
    ensure!(transcribed, "{id} has no transcript in the store; `longhand show {id}` says how far the job is");
    let workflow = jobs.submit_llm(id, &task).await?.id;
    match watch_job(&jobs, &workflow).await? {
        Outcome::Finished(end) => print_answer(&store, &workflow, &end, args.json).await,
        Outcome::Interrupted(exit) => Ok(exit),
    }
}

/// Prints the answer of a finished LLM workflow; its id says of which job and task.
pub(super) async fn print_answer(store: &Store, workflow: &str, end: &JobEnd, json: bool) -> anyhow::Result<Exit> {
    if !end.status.has_transcript() {
        note(&format!("error: {workflow} is {}: {}", end.status, end.failure.as_deref().unwrap_or("it was stopped")));
        return Ok(Exit::JobFailed);
    }
    let named = workflow.rsplit_once(".llm.");
    let (job_id, task) = named.with_context(|| format!("{workflow} does not name a job and its LLM task"))?;
    let LlmAnswer { output, usage, .. } = store.read_json(&keys::llm_answer(job_id, task)).await?;
    if json {
        print_json(&json!({ "job_id": job_id, "task": task, "output": output, "usage": usage }))?;
    } else {
        print(&answer(&output))?;
    }
    Ok(Exit::Done)
}
