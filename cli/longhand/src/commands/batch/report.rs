//! The results of a batch, recording by recording.

use engine::{
    result::{JobResult, JobStatus},
    store::{Store, StoreError, keys},
    temporal::{client::JobEnd, contracts::BatchEntry},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Serialize;

use crate::{
    durations::format_duration,
    exit::Exit,
    output::{NamedResult, Output},
    table::table,
    terminal::{note, print as print_text, print_json},
};

/// Results read from the store at the same time.
const CONCURRENT_READS: usize = 8;

#[derive(Serialize)]
struct Report<'a> {
    id: &'a str,
    status: JobStatus,
    jobs: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    id: String,
    name: String,
    /// `None` for a job that left no result: it was not begun, or the store failed it.
    status: Option<JobStatus>,
    duration_s: Option<f64>,
    wall_s: Option<f64>,
    error: Option<String>,
}

/// Prints a batch's table, or its JSON, and settles the exit code.
pub(crate) async fn print(store: &Store, batch: &str, end: &JobEnd, json: bool) -> anyhow::Result<Exit> {
    let jobs: Vec<Line> = results(store, batch).await?.into_iter().map(line).collect();
    let well = jobs.iter().filter(|job| job.status.is_some_and(JobStatus::has_transcript)).count();
    note(&format!("{batch}: {well} of {} recordings have their transcripts", jobs.len()));
    if let Some(failure) = &end.failure {
        note(&format!("error: {batch} failed: {failure}"));
    }
    let all_well = well == jobs.len() && end.status == JobStatus::Completed;
    if json {
        print_json(&Report { id: batch, status: end.status, jobs })?;
    } else {
        print_text(&table(["FILE", "STATUS", "DURATION", "TOOK", "ERROR"], jobs.into_iter().map(row)))?;
    }
    Ok(if all_well { Exit::Done } else { Exit::JobFailed })
}

/// Writes what the batch's jobs gave into the folder of the output.
pub(crate) async fn write_results(store: &Store, batch: &str, output: &Output) -> anyhow::Result<()> {
    let results = results(store, batch).await?;
    output
        .write(&results.into_iter().map(|(entry, result)| NamedResult { name: entry.name, result }).collect::<Vec<_>>())
}

async fn results(store: &Store, batch: &str) -> Result<Vec<(BatchEntry, Option<JobResult>)>, StoreError> {
    let entries: Vec<BatchEntry> = store.read_json(&keys::batch(batch)).await?;
    let read = stream::iter(entries).map(|entry| async move {
        let result = store.find_result(&entry.id).await?;
        Ok((entry, result))
    });
    read.buffered(CONCURRENT_READS).try_collect().await
}

fn line((entry, result): (BatchEntry, Option<JobResult>)) -> Line {
    let error = result.as_ref().and_then(|result| result.errors.first());
    Line {
        status: result.as_ref().map(|result| result.status),
        duration_s: result.as_ref().map(|result| result.duration_s),
        wall_s: result.as_ref().map(|result| result.timings.wall_s),
        error: error.map(|failure| format!("{}: {}", failure.stage, failure.message)),
        id: entry.id,
        name: if entry.name.is_empty() { entry.request.source.to_string() } else { entry.name },
    }
}

fn row(line: Line) -> [String; 5] {
    [
        line.name,
        line.status.map_or_else(|| "no result".to_owned(), |status| status.to_string()),
        line.duration_s.map(format_duration).unwrap_or_default(),
        line.wall_s.map(format_duration).unwrap_or_default(),
        line.error.unwrap_or_default(),
    ]
}
