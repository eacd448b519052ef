//! `longhand transcribe`: starts a job for each recording and follows them to their ends.

use anyhow::Context;
use clap::Args;
use engine::{ids::JobId, job::JobOptions};
use serde_json::json;

use crate::{
    connection::Connection,
    exit::Exit,
    finished_job::{FinishedJob, report_and_write},
    input::Input,
    job_watcher::{Outcome, StartedJob, or_interrupted, watch_jobs},
    output::OutputFlags,
    request::RequestFlags,
    terminal::{note, print, print_json},
    upload::upload,
};

#[derive(Args)]
#[command(after_help = "\
Several recordings run together, and their results come in the order of the command line: as one JSON array, as \
texts under their names, or as files of a folder with -o. Text is followed by the LLM's answers.

A transcript whose LLM tasks failed is a success with a warning: exit code 0. A failed or cancelled job: 1. \
Ctrl-C leaves the jobs running, or cancels them where it can ask; exit code 130.

Examples:
  longhand transcribe talk.mp3
  longhand transcribe https://example.org/talk.ogg --language de --task translate -o talk.srt
  longhand transcribe talk.mp3 --llm summary,chapters --ask 'What was decided?'
  longhand transcribe *.flac --words --format vtt -o subtitles/
  longhand transcribe talk.mp3 --id talk-17 --detach && longhand watch talk-17 --json")]
pub(crate) struct TranscribeArgs {
    /// Recordings: files of this machine, or http and https addresses that the workers fetch
    #[arg(value_name = "FILE|URL", required = true)]
    inputs: Vec<String>,
    #[command(flatten)]
    request: RequestFlags,
    #[command(flatten)]
    output: OutputFlags,
    /// Name of the job; one that is taken means the job that has it. Several recordings get ID-1, ID-2, ...
    #[arg(long, value_name = "ID", value_parser = JobId::given)]
    id: Option<JobId>,
    /// Print the job's id and leave
    #[arg(long, conflicts_with_all = ["output", "format"])]
    detach: bool,
}

pub(crate) async fn run(args: TranscribeArgs) -> anyhow::Result<Exit> {
    let inputs = args.inputs.iter().map(|typed| Input::parse(typed)).collect::<anyhow::Result<Vec<_>>>()?;
    let output = if args.detach { None } else { Some(args.output.resolve(inputs.len())?) };
    let options = args.request.resolve()?;
    let connection = Connection::open().await?;
    let mut started = Vec::new();
    for (id, input) in ids(args.id, inputs.len()).into_iter().zip(&inputs) {
        let start = start(&connection, id, input, &options);
        match or_interrupted(&connection.jobs, &started, start).await? {
            Outcome::Finished(job) => started.push(job),
            Outcome::Interrupted(exit) => return Ok(exit),
        }
    }
    let Some(output) = output else { return detach(&started, args.output.json) };
    let ends = match watch_jobs(&connection.jobs, &started).await? {
        Outcome::Finished(ends) => ends,
        Outcome::Interrupted(exit) => return Ok(exit),
    };
    let mut ended = Vec::new();
    for (job, end) in started.into_iter().zip(ends) {
        ended.push(FinishedJob::collect(&connection.store, job, end).await?);
    }
    report_and_write(ended, &output)
}

fn ids(named: Option<JobId>, count: usize) -> Vec<JobId> {
    match named {
        None => (0..count).map(|_| JobId::new()).collect(),
        Some(id) if count == 1 => vec![id],
        Some(id) => (1..=count).map(|position| id.numbered(position)).collect(),
    }
}

async fn start(connection: &Connection, id: JobId, input: &Input, options: &JobOptions) -> anyhow::Result<StartedJob> {
    let uploaded = upload(&connection.store, input, |_| id.clone()).await?;
    let submission = connection.jobs.submit(id.as_str(), &options.request(uploaded.source)).await;
    let name = input.name();
    let submission = submission.with_context(|| format!("cannot start a job for {name}"))?;
    let outcome = if submission.existing { "there already, and left as it is" } else { "started" };
    note(&format!("{name} ({id}): {outcome}"));
    Ok(StartedJob { id: submission.id, name })
}

fn detach(started: &[StartedJob], json: bool) -> anyhow::Result<Exit> {
    let listed: Vec<_> = started.iter().map(|job| json!({ "id": job.id, "name": job.name })).collect();
    match (json, listed.as_slice()) {
        (true, [only]) => print_json(only)?,
        (true, several) => print_json(&several)?,
        (false, _) => print(&started.iter().map(|job| format!("{}\n", job.id)).collect::<String>())?,
    }
    Ok(Exit::Done)
}
