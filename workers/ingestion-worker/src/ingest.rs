//! The ingest stage as a whole: a source in, a plan in the store out.

use engine::{
    config::IngestSettings,
    error::StageError,
    ids::JobId,
    job::Source,
    plan::Plan,
    references,
    store::{Created, Store, keys},
    temporal::contracts::SegmentationProgress,
};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use crate::{
    pipeline::{self, Summary},
    source::{self, LocalSource},
    stored_units,
    units::FilledUnit,
};

/// Names the rules by which speech is found and segmented. Changes whenever they do, for a plan in
/// the store is never changed.
const SEGMENTATION_VERSION: &str = "v3";

/// Where the plan lies, and what it says.
#[derive(Debug, Clone, PartialEq)]
pub struct Ingested {
    /// The plan's folder in the store.
    pub folder: String,
    pub plan: Plan,
    /// The recording had been segmented before; nothing was decoded.
    pub reused: bool,
}

/// What every ingestion works with.
#[derive(Debug, Clone, Copy)]
pub struct Resources<'a> {
    pub store: &'a Store,
    pub settings: &'a IngestSettings,
    /// A permit for each recording that is decoded at the same time.
    pub decoders: &'a Semaphore,
}

/// Fetches a source, decodes it, finds the speech in it and leaves work units and plan in the
/// store. The recording is `job`'s from before anything of it is read or written: nobody takes it away meanwhile.
/// `progress` is told the seconds of audio decoded so far, about once per second of audio; `on_segmented` what is in the
/// store, after each unit but the last.
///
/// # Errors
/// Bad input where the source is no usable recording, set-up where a disk is full, transient
/// where a network or disk failed, and cancelled.
pub async fn ingest(
    with: Resources<'_>,
    source: &Source,
    job: Option<&JobId>,
    cancelled: &CancellationToken,
    progress: impl Fn(f64) + Send + 'static,
    on_segmented: impl Fn(SegmentationProgress),
) -> Result<Ingested, StageError> {
    let Resources { store, settings, decoders } = with;
    let folder_of =
        |sha256: &str| keys::plan_folder(sha256, &format!("{SEGMENTATION_VERSION}-{}s", settings.unit_seconds));
    if let Source::Object(key) = source
        && let Some(recording) = keys::recording(key)
    {
        or_cancelled(cancelled, claim(store, recording, job)).await?;
    }
    // An upload's key says what its bytes are, so a plan that is there is found before any of them is read.
    if let Source::Object(key) = source
        && let Some(sha256) = keys::upload_hash(key)
        && let Some(known) = or_cancelled(cancelled, known_plan(store, folder_of(sha256))).await?
    {
        return Ok(known);
    }
    let source = or_cancelled(cancelled, source::fetch(store, settings, source, cancelled)).await?;
    let sha256 = source.sha256.clone();
    or_cancelled(cancelled, claim(store, &sha256, job)).await?;
    if let Some(known) = known_plan(store, folder_of(&sha256)).await? {
        return Ok(known);
    }
    let folder = folder_of(&sha256);
    let permit = or_cancelled(cancelled, async { Ok(decoders.acquire().await) }).await?;
    let _decoding = permit.map_err(|closed| StageError::transient(closed.to_string()))?;
    let summary = segment(store, &folder, settings, source, cancelled, progress, on_segmented).await?;
    let plan = Plan {
        audio_sha256: sha256,
        format: summary.format,
        duration_s: summary.duration_s,
        speech_s: summary.speech_s,
        units: summary.units,
        chunks: summary.chunks,
    };
    match store.create_json(&keys::plan(&folder), &plan).await? {
        Created::Now => Ok(Ingested { folder, plan, reused: false }),
        Created::Before => Ok(Ingested { plan: store.read_json(&keys::plan(&folder)).await?, folder, reused: true }),
    }
}

/// A workflow that was started under a name that is no job's has nobody to claim for: its recording stays for as long as
/// it is worked on, and the sweep's age after that.
async fn claim(store: &Store, recording: &str, job: Option<&JobId>) -> Result<(), StageError> {
    match job {
        Some(job) => Ok(references::claim(store, recording, job).await?),
        None => Ok(()),
    }
}

/// A plan whose units can be read. Those of one that lost some are all made again, and are what they were.
async fn known_plan(store: &Store, folder: String) -> Result<Option<Ingested>, StageError> {
    let Some(plan) = store.find_json::<Plan>(&keys::plan(&folder)).await? else { return Ok(None) };
    let are_whole = stored_units::are_whole(store, &folder, plan.units).await?;
    Ok(are_whole.then_some(Ingested { folder, plan, reused: true }))
}

async fn or_cancelled<T>(
    cancelled: &CancellationToken,
    work: impl Future<Output = Result<T, StageError>>,
) -> Result<T, StageError> {
    cancelled.run_until_cancelled(work).await.unwrap_or_else(|| Err(StageError::cancelled()))
}

/// Decodes on a thread of its own while this task writes the units that come of it.
async fn segment(
    store: &Store,
    folder: &str,
    settings: &IngestSettings,
    source: LocalSource,
    cancelled: &CancellationToken,
    progress: impl Fn(f64) + Send + 'static,
    on_segmented: impl Fn(SegmentationProgress),
) -> Result<Summary, StageError> {
    let LocalSource { file, name, sha256: _, temporary: _keep } = source;
    // One unit is written while the next one fills: no more wait in memory.
    let (sender, mut units) = mpsc::channel(1);
    let stop = cancelled.clone();
    let (described, settings) = (name.clone(), settings.clone());
    let decoding = tokio::task::spawn_blocking(move || pipeline::run(file, &name, &settings, &sender, &stop, progress));
    let mut written = Ok(());
    while let Some(unit) = units.recv().await {
        let so_far = (!unit.is_last).then(|| so_far(folder, &unit));
        written = or_cancelled(cancelled, stored_units::write(store, folder, unit)).await;
        if written.is_err() {
            break;
        }
        so_far.into_iter().for_each(&on_segmented);
    }
    // Tells the thread to stop at its next unit where writing failed.
    drop(units);
    let decoded = decoding.await.map_err(|failure| {
        StageError::bad_input(format!("{described} made the decoder fail: {failure}; convert it to flac or wav"))
    });
    written?;
    decoded?
}

/// What is in the store once this unit is.
fn so_far(folder: &str, unit: &FilledUnit) -> SegmentationProgress {
    let chunks = unit.unit.chunks.last().map_or(0, |chunk| chunk.index + 1);
    SegmentationProgress { folder: folder.to_owned(), units: unit.unit.index + 1, chunks }
}
