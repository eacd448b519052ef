//! `longhand batch`: all recordings of a folder or a list, a bounded number of them at a time.

mod recordings;
pub(super) mod report;

use std::path::PathBuf;

use clap::Args;
use engine::{
    batch_list::BatchRecording,
    formats::Format,
    ids::JobId,
    job::{JobOptions, Source},
    temporal::batch,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use indicatif::{ProgressBar, ProgressFinish};
use recordings::Recording;
use serde_json::json;

use crate::{
    connection::Connection,
    exit::Exit,
    job_watcher::{Outcome, or_interrupted, watch_job},
    output::{Output, format_parser},
    request::RequestFlags,
    terminal::{bar_style, can_show_bars, note, print, print_json},
    upload::upload,
};

/// Files that are uploaded to the store at the same time.
const CONCURRENT_UPLOADS: usize = 4;

#[derive(Args)]
#[command(after_help = "\
Prints a table of all recordings. The same folder or list with the same options is the same batch: run again, it \
takes up what is new, what has changed and what failed, and leaves the rest alone. --id names a batch yourself. \
Exit code 1 where a job failed or was cancelled.

Examples:
  longhand batch talks/ --concurrency 4 --language en -o texts/
  longhand batch links.txt --llm summary --format json -o results/
  longhand batch talks/ --detach --json")]
pub(crate) struct BatchArgs {
    /// A folder, searched for audio files with its subfolders; or a text file with one path or address a line
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
    /// Name of the batch
    #[arg(long, value_name = "ID", value_parser = JobId::given)]
    id: Option<JobId>,
    /// Print the batch's id and leave
    #[arg(long)]
    detach: bool,
    /// Print {id, status, jobs: [{id, name, status, duration_s, wall_s, error}]}
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: BatchArgs) -> anyhow::Result<Exit> {
    let recordings = recordings::find(&args.source)?;
    let options = args.request.resolve()?;
    let output = args.output.map(|folder| Output::folder(folder, args.format)).transpose()?;
    let id = match args.id {
        Some(id) => id,
        None => {
            let source = args.source.canonicalize()?.display().to_string();
            JobId::of_batch(&source, &serde_json::to_string(&options.request(Source::Path(String::new())))?)
        }
    };
    let connection = Connection::open().await?;
    let start = start(&connection, &id, &recordings, &options, args.concurrency);
    if let Outcome::Interrupted(exit) = or_interrupted(&connection.jobs, &[], start).await? {
        return Ok(exit);
    }
    if args.detach {
        if args.json {
            print_json(&json!({ "id": id.as_str() }))?
        } else {
            print(&format!("{id}\n"))?
        }
        return Ok(Exit::Done);
    }
    let end = match watch_job(&connection.jobs, id.as_str()).await? {
        Outcome::Finished(end) => end,
        Outcome::Interrupted(exit) => return Ok(exit),
    };
    report::print(&connection.store, id.as_str(), &end, output.as_ref(), args.json).await
}

/// Uploads the recordings and submits the batch, unless it is running already.
async fn start(
    connection: &Connection,
    id: &JobId,
    recordings: &[Recording],
    options: &JobOptions,
    concurrency: u32,
) -> anyhow::Result<()> {
    let Connection { jobs, store } = connection;
    if batch::is_running(jobs, id).await? {
        note(&format!("{id}: running already, with the recordings that it was started with"));
        return Ok(());
    }
    note(&format!("{id}: {} recordings", recordings.len()));
    let bar = upload_bar(recordings.len());
    let uploads = stream::iter(recordings).map(|recording| uploaded(connection, id, recording));
    let uploaded: Vec<BatchRecording> =
        uploads.buffered(CONCURRENT_UPLOADS).inspect_ok(|_| bar.inc(1)).try_collect().await?;
    drop(bar);
    batch::start(jobs, store, id, options, &uploaded, concurrency).await?;
    Ok(())
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
    let job_of = |content: &str| batch.in_batch(&recording.name, content);
    let uploaded = upload(&connection.store, &recording.input, job_of).await?;
    Ok(BatchRecording { id: uploaded.job.to_string(), name: recording.name.clone(), source: uploaded.source })
}
