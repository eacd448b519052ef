//! The results of a batch, recording by recording: none is in memory for longer than it takes to write it.

use anyhow::Context;
use engine::{
    batch_list::{BatchEntry, BatchList},
    result::{JobResult, JobStatus},
    store::{Store, StoreError, keys},
    temporal::client::JobEnd,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Serialize;

use crate::{
    durations::format_duration,
    exit::Exit,
    output::{Output, OutputFolder},
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

/// Prints a batch's table, or its JSON, and settles the exit code. The results go into the folder of the output where
/// there is one.
pub(crate) async fn print(
    store: &Store,
    batch: &str,
    end: &JobEnd,
    output: Option<&Output>,
    json: bool,
) -> anyhow::Result<Exit> {
    let list = BatchList::find(store, &keys::batch(batch)).await?;
    let list = list.with_context(|| format!("the store has no list of {batch}'s recordings; check LONGHAND_STORE"))?;
    let mut folder = match output {
        Some(output) => output.open_folder(names(store, &list).await?),
        None => None,
    };
    let jobs = lines(store, &list, folder.as_mut()).await?;
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

/// What the recordings are called, after which their files are.
async fn names(store: &Store, list: &BatchList) -> Result<Vec<String>, StoreError> {
    let mut names = Vec::new();
    while let entries = list.entries(store, position(names.len())).await?
        && !entries.is_empty()
    {
        names.extend(entries.into_iter().map(|entry| entry.name));
    }
    Ok(names)
}

async fn lines(
    store: &Store,
    list: &BatchList,
    mut folder: Option<&mut OutputFolder<'_>>,
) -> anyhow::Result<Vec<Line>> {
    let mut lines = Vec::new();
    while let entries = list.entries(store, position(lines.len())).await?
        && !entries.is_empty()
    {
        let reads = stream::iter(entries).map(|entry| async move {
            let result = store.find_result(&entry.id).await?;
            Ok::<_, StoreError>((entry, result))
        });
        let mut results = reads.buffered(CONCURRENT_READS);
        while let Some((entry, result)) = results.try_next().await? {
            if let Some(folder) = &mut folder {
                folder.write_next(result.as_ref())?;
            }
            lines.push(line(entry, result));
        }
    }
    Ok(lines)
}

fn position(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

fn line(entry: BatchEntry, result: Option<JobResult>) -> Line {
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
