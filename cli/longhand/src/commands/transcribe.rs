//! `longhand transcribe`: starts a job for each recording and follows them to their ends.

use anyhow::{Context, ensure};
use clap::Args;
use engine::{
    ids::{JobId, NotGiven},
    job::JobOptions,
    recording_name,
};
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
    upload::locate,
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
    /// Name of the job; one that is taken means the job that has it, if that was asked for the same. Several recordings
    /// get ID-1, ID-2, ...
    #[arg(long, value_name = "ID", value_parser = JobId::given)]
    id: Option<JobId>,
    /// What the recording is called in lists and on the page [default: its file's name]
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Print the job's id and leave
    #[arg(long, conflicts_with_all = ["output", "format"])]
    detach: bool,
}

pub(crate) async fn run(args: TranscribeArgs) -> anyhow::Result<Exit> {
    ensure!(args.name.is_none() || args.inputs.len() == 1, "--name is for one recording; leave it out, or name one");
    let inputs = args.inputs.iter().map(|typed| Input::parse(typed)).collect::<anyhow::Result<Vec<_>>>()?;
    let ids = ids(args.id, inputs.len()).context("--id names all of the recordings together")?;
    let output = if args.detach { None } else { Some(args.output.resolve(inputs.len())?) };
    let options = args.request.resolve()?;
    let connection = Connection::open().await?;
    let mut started = Vec::new();
    for (id, input) in ids.into_iter().zip(&inputs) {
        let name = args.name.as_deref().and_then(recording_name::cleaned).unwrap_or_else(|| input.name());
        let start = start(&connection, id, input, &options, name);
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

fn ids(named: Option<JobId>, count: usize) -> Result<Vec<JobId>, NotGiven> {
    match named {
        None => Ok((0..count).map(|_| JobId::new()).collect()),
        Some(id) if count == 1 => Ok(vec![id]),
        Some(id) => id.numbered(count),
    }
}

async fn start(
    connection: &Connection,
    id: JobId,
    input: &Input,
    options: &JobOptions,
    name: String,
) -> anyhow::Result<StartedJob> {
    let Connection { jobs, store } = connection;
    let located = locate(input).await?;
    let request = options.request(located.source.clone()).named(Some(&name));
    let failed = || format!("cannot start a job for {name}");
    // Before anything is kept for a job that is another recording's, or that is being deleted.
    jobs.refuse_while_purged(id.as_str()).await.with_context(failed)?;
    let mut is_lost = false;
    if let Some(holder) = jobs.holder(id.as_str()).await?.filter(|holder| holder.holds_id()) {
        jobs.refuse_other_request(id.as_str(), &request).await.with_context(failed)?;
        is_lost = holder.has_lost_result(store, id.as_str()).await?;
    }
    if is_lost {
        note(&format!("the result of {id} is not in the store, or is damaged: it is made again"));
    }
    located.upload_for(store, &id).await?;
    let submitted = if is_lost { jobs.submit_again(id.as_str(), &request) } else { jobs.submit(id.as_str(), &request) };
    let submission = submitted.await.with_context(failed)?;
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
