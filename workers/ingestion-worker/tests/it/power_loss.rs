//! A job whose store loses its power at any of its writes, or finds any of its objects damaged, ends as it would have.

use std::{collections::BTreeMap, path::Path, sync::atomic::Ordering};

use engine::{
    config::IngestSettings,
    error::StageError,
    job::{Source, SpeechOptions},
    plan::WorkUnit,
    result::{JobResult, JobStatus, Timings},
    store::{Store, StoreError, keys},
    temporal::contracts::{AssembleInput, Assembled, Conclusion, Ingested, Prepared},
    transcript::{ChunkTranscript, Segment},
};
use ingestion_worker::{Resources, assemble, conclude, ingest};
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::{
    cut_off_store::{self, Cut},
    sound::{speech, wav},
};

const JOB: &str = "job-1";
const RUN: &str = "run-1";
const DECODE_CONFIG: &str = "0123456789abcdef";

#[tokio::test]
async fn a_job_that_is_cut_off_at_any_write_ends_as_it_would_have() {
    let recording = Recording::new();
    let undisturbed = TempDir::new().unwrap();
    let (store, writes) = cut_off_store::open(undisturbed.path(), None);
    let expected = recording.transcribe(&store).await.unwrap();
    let writes = writes.load(Ordering::SeqCst);
    assert!(writes >= 12 && expected.text.len() > 100, "{writes} writes, {expected:?}");
    let left = everything(undisturbed.path());

    for write in 0..writes {
        for cut in Cut::ALL {
            let folder = TempDir::new().unwrap();
            let (store, _) = cut_off_store::open(folder.path(), Some((write, cut)));
            let first = recording.transcribe(&store).await;
            assert!(first.is_err() || cut == Cut::TornUnnoticed, "write {write} was not cut off");

            let (store, _) = cut_off_store::open(folder.path(), None);
            let again = recording.transcribe(&store).await;
            let again = again.unwrap_or_else(|error| panic!("{cut:?} at write {write}: {error}"));
            assert_eq!(again, expected, "{cut:?} at write {write}");
            assert!(everything(folder.path()) == left, "{cut:?} at write {write} left something else");
        }
    }
}

#[tokio::test]
async fn whatever_cannot_be_read_is_made_again_in_its_place() {
    let recording = Recording::new();
    let folder = TempDir::new().unwrap();
    let (store, _) = cut_off_store::open(folder.path(), None);
    let expected = recording.transcribe(&store).await.unwrap();
    let left = everything(folder.path());
    for (key, good) in &left {
        for damaged in [&[], &good[..good.len() / 2], &b"\0\xff{no JSON, and no audio"[..]] {
            std::fs::write(folder.path().join(key), damaged).unwrap();
            let again = recording.transcribe(&store).await.unwrap_or_else(|error| panic!("{key}: {error}"));
            assert_eq!(again, expected, "{key} with {} bytes", damaged.len());
            assert!(everything(folder.path()) == left, "{key} with {} bytes was not replaced", damaged.len());
        }
    }
}

/// Every object and its bytes.
fn everything(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(folder: &Path, below: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                walk(&entry, below, found);
            } else {
                let key = entry.strip_prefix(below).unwrap().to_str().unwrap().to_owned();
                found.insert(key, std::fs::read(entry).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(folder, folder, &mut found);
    found
}

struct Recording {
    _folder: TempDir,
    source: Source,
    settings: IngestSettings,
}

impl Recording {
    /// Three quarters of a minute, in several work units.
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("talk.wav");
        std::fs::write(&path, wav(&speech().repeat(4))).unwrap();
        let settings = IngestSettings { unit_seconds: 12, ..crate::workbench::settings() };
        Self { _folder: folder, source: Source::Path(path.display().to_string()), settings }
    }

    /// A whole job, as its workflow has it done; only the recogniser is made up.
    async fn transcribe(&self, store: &Store) -> Result<JobResult, StageError> {
        let never = CancellationToken::new();
        let job = JOB.parse().ok();
        let decoders = Semaphore::new(1);
        let with = Resources { store, settings: &self.settings, decoders: &decoders };
        let made = ingest(with, &self.source, job.as_ref(), &never, |_| (), |_| ()).await?;
        for unit in 0..made.plan.units {
            recognise(store, &made.folder, unit).await?;
        }
        let (chunks, duration_s) = (made.plan.chunks, made.plan.duration_s);
        let input = AssembleInput {
            job_id: JOB.to_owned(),
            folder: made.folder.clone(),
            decode_config_hash: DECODE_CONFIG.to_owned(),
            language: "en".to_owned(),
            duration_s,
            chunks,
            run: None,
        };
        let assembled = assemble(store, &input, RUN).await?;
        let ingested = Ingested {
            folder: made.folder,
            audio_sha256: made.plan.audio_sha256,
            duration_s,
            units: made.plan.units,
            chunks,
        };
        conclude(store, conclusion(ingested, assembled)).await?;
        Ok(store.find_result(JOB).await?.ok_or_else(|| StoreError::NotFound { key: keys::result(JOB) })?)
    }
}

fn conclusion(ingested: Ingested, assembled: Assembled) -> Conclusion {
    Conclusion {
        job_id: JOB.to_owned(),
        run_id: RUN.to_owned(),
        folder: String::new(),
        status: JobStatus::Completed,
        errors: Vec::new(),
        timings: Timings::default(),
        ingested: Some(ingested),
        prepared: Some(Prepared {
            speech: SpeechOptions::default(),
            model_sha256: String::new(),
            recogniser: "made up".to_owned(),
            decode_config_hash: DECODE_CONFIG.to_owned(),
        }),
        assembled: Some(assembled),
        llm: BTreeMap::new(),
    }
}

/// Writes the checkpoints that are missing. Their text is what the audio is: another audio has another text.
async fn recognise(store: &Store, folder: &str, unit: u32) -> Result<(), StageError> {
    let descriptor: WorkUnit = store.read_json(&keys::unit(folder, unit)).await?;
    for chunk in descriptor.chunks {
        let key = keys::chunk(folder, DECODE_CONFIG, chunk.index);
        if store.find_json::<ChunkTranscript>(&key).await?.is_some() {
            continue;
        }
        let pcm = store.read_range(&keys::unit_audio(folder, unit), 2 * chunk.offset, 2 * chunk.length).await?;
        let text =
            format!(" {} bytes that add up to {}.", pcm.len(), pcm.iter().map(|&byte| u64::from(byte)).sum::<u64>());
        let transcript = ChunkTranscript {
            chunk: chunk.index,
            run_id: RUN.to_owned(),
            language: "en".to_owned(),
            segments: vec![segment(chunk.source_time(0.0), text)],
            fallbacks: 0,
            seconds: 0.0,
        };
        store.create_json(&key, &transcript).await?;
    }
    Ok(())
}

fn segment(start: f64, text: String) -> Segment {
    Segment {
        id: 0,
        start,
        end: start + 1.0,
        text,
        tokens: Vec::new(),
        temperature: 0.0,
        avg_logprob: -0.2,
        compression_ratio: 1.2,
        no_speech_prob: 0.0,
        words: Vec::new(),
        flags: Vec::new(),
    }
}
