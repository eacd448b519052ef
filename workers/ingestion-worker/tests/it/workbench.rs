//! A store and settings of a test's own, and what ingestion left in the store, read back.

use std::path::{Path, PathBuf};

use engine::{
    config::{IngestSettings, StoreSettings},
    error::StageError,
    job::Source,
    plan::WorkUnit,
    store::{Store, keys},
};
use ingestion_worker::{Ingested, Resources, ingest};
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

pub(crate) struct Workbench {
    folder: TempDir,
    pub(crate) store: Store,
    pub(crate) settings: IngestSettings,
    pub(crate) decoders: Semaphore,
}

impl Workbench {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = folder.path().join("store").display().to_string();
        let store = Store::open(&StoreSettings { url: Some(url) }).unwrap();
        Self { folder, store, settings: settings(), decoders: Semaphore::new(1) }
    }

    /// Where a file of this name would lie.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file of its own and names it as a source.
    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> Source {
        std::fs::write(self.path(name), bytes).unwrap();
        self.source(name)
    }

    pub(crate) fn source(&self, name: &str) -> Source {
        Source::Path(self.path(name).display().to_string())
    }

    pub(crate) fn resources(&self) -> Resources<'_> {
        Resources { store: &self.store, settings: &self.settings, decoders: &self.decoders }
    }

    pub(crate) async fn ingest(&self, source: &Source) -> Result<Ingested, StageError> {
        ingest(self.resources(), source, None, &CancellationToken::new(), |_| (), |_| ()).await
    }

    /// All work units with their PCM.
    pub(crate) async fn units(&self, ingested: &Ingested) -> Vec<(WorkUnit, Vec<i16>)> {
        let mut units = Vec::new();
        for index in 0..ingested.plan.units {
            let unit = self.store.read_json(&keys::unit(&ingested.folder, index)).await.unwrap();
            let pcm = self.store.read(&keys::unit_audio(&ingested.folder, index)).await.unwrap();
            units.push((unit, pcm.chunks_exact(2).map(|two| i16::from_le_bytes([two[0], two[1]])).collect()));
        }
        units
    }

    /// What the chunks hold, put back to where they say it lies in the recording, with silence
    /// everywhere else.
    pub(crate) async fn laid_out(&self, ingested: &Ingested) -> Vec<i16> {
        let mut recording = vec![0; (ingested.plan.duration_s * 16_000.0).round() as usize];
        for (unit, pcm) in self.units(ingested).await {
            for chunk in unit.chunks {
                for span in chunk.spans {
                    let from = (chunk.offset + span.chunk) as usize;
                    let (to, length) = (span.source as usize, span.length as usize);
                    recording[to..to + length].copy_from_slice(&pcm[from..from + length]);
                }
            }
        }
        recording
    }
}

pub(crate) fn settings() -> IngestSettings {
    IngestSettings {
        slots: 1,
        fetch_slots: 1,
        fetch_minutes: 1,
        unit_seconds: 180,
        allow_private_urls: false,
        max_source_mb: 100,
        max_source_hours: 1_000,
    }
}

pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// The repository's sample: 11 s of speech.
pub(crate) fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples/jfk.flac")
}
