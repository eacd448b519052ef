//! `longhand batch`: all recordings of a folder or a list, a bounded number of them at a time.

mod recordings;
pub(super) mod report;

use std::path::PathBuf;

use anyhow::ensure;
use clap::Args;
use engine::{
    batch_list::BatchRecording,
    formats::{Format, SubtitleChoices},
    ids::JobId,
    job::{JobOptions, Source},
    temporal::batch,
};
use futures_util::{StreamExt, stream};
use indicatif::{ProgressBar, ProgressFinish};
use recordings::{Broken, Recording};
use serde_json::json;

use crate::{
    connection::Connection,
    exit::Exit,
    job_watcher::{Outcome, or_interrupted, watch_job},
    output::{Output, format_parser},
    request::RequestFlags,
    terminal::{bar_style, can_show_bars, note, print, print_json},
    upload::{is_of_store, locate},
};

/// Files that are uploaded to the store at the same time.
const CONCURRENT_UPLOADS: usize = 4;

#[derive(Args)]
#[command(after_help = "\
Prints a table of all recordings. The same folder or list with the same options is the same batch: run again, it \
takes up what is new, what has changed and what failed, and leaves the rest alone. --id names a batch yourself. \
A file that cannot be read is told of, and the others are transcribed. \
Exit code 1 where there is one, or a job failed or was cancelled.

Examples:
  longhand batch talks/ --concurrency 4 --language en -o texts/
  longhand batch links.txt --llm summary --format json -o results/
  longhand batch talks/ --detach --json")]
pub(crate) struct BatchArgs {
    /// A folder, searched for audio files with its subfolders; or a text file with one path or address a line, and
    /// its name after a tab where it has another one
    #[arg(value_name = "DIR|LIST")]
    source: PathBuf,
    /// Jobs that run at the same time
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=500))]
    concurrency: u32,
    #[command(flatten)]
    request: RequestFlags,
    /// How to write the results into the folder of -o
    #[arg(long, value_parser = format_parser(), default_value = Format::Txt.name(), requires = "output")]
    format: Format,
    /// Write each result into this folder
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    #[command(flatten)]
    subtitles: SubtitleChoices,
    /// Name of the batch
    #[arg(long, value_name = "ID", value_parser = JobId::given_to_batch)]
    id: Option<JobId>,
    /// Print the batch's id and leave
    #[arg(long)]
    detach: bool,
    /// Print {id, status, jobs: [{id, name, status, duration_s, wall_s, error}]}
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: BatchArgs) -> anyhow::Result<Exit> {
    let (recordings, mut broken) = recordings::find(&args.source)?;
    let options = args.request.resolve()?;
    let output = args.output.map(|folder| Output::folder(folder, args.format, &args.subtitles)).transpose()?;
    let id = match args.id {
        Some(id) => id,
        None => {
            let source = args.source.canonicalize()?.display().to_string();
            JobId::of_batch(&source, &serde_json::to_string(&options.request(Source::Path(String::new())))?)
        }
    };
    let connection = Connection::open().await?;
    let start = start(&connection, &id, &recordings, &options, args.concurrency);
    match or_interrupted(&connection.jobs, &[], start).await? {
        Outcome::Finished(more) => broken.extend(more),
        Outcome::Interrupted(exit) => return Ok(exit),
    }
    for Broken { name, reason } in &broken {
        note(&format!("warning: {name} is left out: {reason}"));
    }
    if args.detach {
        if args.json {
            print_json(&json!({ "id": id.as_str() }))?
        } else {
            print(&format!("{id}\n"))?
        }
        return Ok(Exit::Done);
    }
    let end = match watch_job(&connection.jobs, id.as_str(), None).await? {
        Outcome::Finished(end) => end,
        Outcome::Interrupted(exit) => return Ok(exit),
    };
    report::print(&connection, &id, &end, broken, output.as_ref(), args.json).await
}

/// Uploads the recordings and submits the batch, unless it is running already. Gives those that cannot be read.
async fn start(
    connection: &Connection,
    id: &JobId,
    recordings: &[Recording],
    options: &JobOptions,
    concurrency: u32,
) -> anyhow::Result<Vec<Broken>> {
    let Connection { jobs, store } = connection;
    if batch::is_running(jobs, id).await? {
        note(&format!("{id}: running already, with the recordings that it was started with"));
        return Ok(Vec::new());
    }
    // Before anything is kept for a batch that is not begun.
    jobs.refuse_while_purged(id.as_str()).await?;
    note(&format!("{id}: {} recordings", recordings.len()));
    let bar = upload_bar(recordings.len());
    let uploads = stream::iter(recordings).map(|recording| uploaded(connection, id, recording));
    let mut uploads = uploads.buffered(CONCURRENT_UPLOADS).inspect(|_| bar.inc(1)).zip(stream::iter(recordings));
    let (mut uploaded, mut broken) = (Vec::new(), Vec::new());
    while let Some((upload, Recording { name, .. })) = uploads.next().await {
        match upload {
            Ok(recording) => uploaded.push(recording),
            Err(error) if is_of_store(&error) => return Err(error),
            Err(error) => broken.push(Broken::new(name, &error)),
        }
    }
    drop(uploads);
    drop(bar);
    let reasons = || broken.iter().map(|broken| broken.reason.as_str()).collect::<Vec<_>>().join("; ");
    ensure!(!uploaded.is_empty(), "nothing is started: {}", reasons());
    batch::start(jobs, store, id, options, &uploaded, concurrency).await?;
    Ok(broken)
}

/// The bar of the uploads, removed when it is dropped.
fn upload_bar(recordings: usize) -> ProgressBar {
    if !can_show_bars() {
        return ProgressBar::hidden();
    }
    let style = bar_style("{bar:24} {pos} of {len} recordings are in the store").progress_chars("━━╌");
    let bar = ProgressBar::new(recordings as u64).with_style(style).with_finish(ProgressFinish::AndClear);
    // The first recording may be a long one.
    bar.tick();
    bar
}

async fn uploaded(connection: &Connection, batch: &JobId, recording: &Recording) -> anyhow::Result<BatchRecording> {
    let located = locate(&recording.input).await?;
    let job = batch.in_batch(&recording.name, located.content());
    located.upload_for(&connection.store, &job).await?;
    Ok(BatchRecording { id: job.to_string(), name: recording.name.clone(), source: located.source })
}
