//! The ingest stage as a whole: a source in, a plan in the store out.

use engine::{
    config::IngestSettings,
    error::StageError,
    job::Source,
    plan::Plan,
    store::{Created, Store, keys},
    temporal::contracts::SegmentationProgress,
};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use crate::{
    pipeline::{self, Summary},
    source::{self, LocalSource},
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

/// Fetches a source, decodes it, finds the speech in it and leaves work units and plan in the
/// store. It decodes as soon as there is a permit of `decoders`. `progress` is told the seconds of audio decoded so far, about once per second of audio; `on_segmented` what
/// is in the store, after each unit but the last.
///
/// # Errors
/// Bad input where the source is no usable recording, set-up where a disk is full, transient
/// where a network or disk failed, and cancelled.
pub async fn ingest(
    store: &Store,
    settings: &IngestSettings,
    decoders: &Semaphore,
    source: &Source,
    cancelled: &CancellationToken,
    progress: impl Fn(f64) + Send + 'static,
    on_segmented: impl Fn(SegmentationProgress),
) -> Result<Ingested, StageError> {
    let folder_of =
        |sha256: &str| keys::plan_folder(sha256, &format!("{SEGMENTATION_VERSION}-{}s", settings.unit_seconds));
    // An upload's key says what its bytes are, so a plan that is there is found before any of them is read.
    if let Source::Object(key) = source
        && let Some(sha256) = keys::upload_hash(key)
        && let Some(known) = or_cancelled(cancelled, known_plan(store, folder_of(sha256))).await?
    {
        return Ok(known);
    }
    let source = or_cancelled(cancelled, source::fetch(store, settings, source, cancelled)).await?;
    let sha256 = source.sha256.clone();
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

async fn known_plan(store: &Store, folder: String) -> Result<Option<Ingested>, StageError> {
    let plan = store.find_json(&keys::plan(&folder)).await?;
    Ok(plan.map(|plan| Ingested { folder, plan, reused: true }))
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
        written = or_cancelled(cancelled, write_unit(store, folder, unit)).await;
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

/// The descriptor comes last: where it exists, the audio does, too.
async fn write_unit(store: &Store, folder: &str, filled: FilledUnit) -> Result<(), StageError> {
    let index = filled.unit.index;
    store.write(&keys::unit_audio(folder, index), filled.pcm).await?;
    store.write_json(&keys::unit(folder, index), &filled.unit).await?;
    Ok(())
}
