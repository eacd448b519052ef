//! Recordings that nobody made: their plans and units are in the store as if they had been ingested, and the recogniser
//! hears nothing in them. So months of speech take as long as their orchestration.

use std::{fs, path::PathBuf};

use engine::{
    batch_list::{BatchList, BatchRecording},
    config::StoreSettings,
    job::{JobOptions, Source},
    plan::{AudioFormat, Chunk, Plan, SAMPLE_RATE, WorkUnit},
    store::{Store, keys},
};
use serde::Serialize;
use serde_json::{Value, json};
use test_stack::{INGESTION, Stack, sample};

/// Seconds of a chunk.
const CHUNK_S: u64 = 16;
const CHUNK_SAMPLES: u64 = CHUNK_S * SAMPLE_RATE as u64;

/// A stack on which such recordings are recognised.
pub(crate) struct Simulation {
    pub(crate) stack: Stack,
    /// The folder of a plan in its recording's, as the ingestion worker calls it.
    segmentation: String,
}

impl Simulation {
    pub(crate) fn start() -> Self {
        let mut stack = Stack::server_with(&[]);
        stack.start_worker(INGESTION);
        stack.start_noop_recogniser();
        let result = stack.json(["transcribe", &sample(), "--json"]);
        let checkpoints = result["provenance"]["checkpoints"].as_str().unwrap();
        let segmentation = checkpoints.split('/').nth(2).unwrap().to_owned();
        Self { stack, segmentation }
    }

    /// A recording of so many units, as the source of a job.
    pub(crate) fn recording(&self, number: u32, units: u32, chunks_of_a_unit: u32) -> Value {
        let sha256 = format!("{number:064x}");
        let folder = keys::plan_folder(&sha256, &self.segmentation);
        for index in 0..units {
            let chunks = (0..chunks_of_a_unit).map(|chunk| silent_chunk(index * chunks_of_a_unit + chunk, chunk));
            self.write(&keys::unit(&folder, index), &WorkUnit { index, chunks: chunks.collect() });
            self.write_silence(&keys::unit_audio(&folder, index), u64::from(chunks_of_a_unit) * CHUNK_SAMPLES);
        }
        let chunks = units * chunks_of_a_unit;
        let seconds = f64::from(chunks) * CHUNK_S as f64;
        let format = AudioFormat { codec: "none".to_owned(), sample_rate: SAMPLE_RATE, channels: 1 };
        let plan = Plan { audio_sha256: sha256.clone(), format, duration_s: seconds, speech_s: seconds, units, chunks };
        self.write(&keys::plan(&folder), &plan);
        json!({ "object": keys::upload(&sha256) })
    }

    pub(crate) fn submit(&self, id: &str, source: &Value) {
        self.start_workflow("transcribe", id, &json!({ "source": source }));
    }

    /// A batch of so many jobs, all of one recording.
    pub(crate) fn submit_batch(&self, id: &str, source: &Value, jobs: u32) {
        let source: Source = serde_json::from_value(source.clone()).unwrap();
        let recording =
            |number| BatchRecording { id: format!("{id}.{number}"), name: String::new(), source: source.clone() };
        let recordings: Vec<_> = (0..jobs).map(recording).collect();
        let store = Store::open(&StoreSettings { url: Some(self.path("").display().to_string()) }).unwrap();
        let options = JobOptions::default();
        let written = BatchList::write(&store, id, &options, &recordings);
        tokio::runtime::Runtime::new().unwrap().block_on(written).unwrap();
        let batch = json!({ "requests_key": keys::batch(id), "total": jobs, "concurrency": 16 });
        self.start_workflow("batch", id, &batch);
    }

    fn start_workflow(&self, kind: &str, id: &str, input: &Value) {
        let start = ["workflow", "start", "--type", kind, "--task-queue", "longhand", "--workflow-id", id];
        let started = self.stack.temporal(&[&start[..], &["--input", &input.to_string()]].concat());
        assert!(started.status.success(), "{}", String::from_utf8_lossy(&started.stderr));
    }

    /// The most memory that the ingestion worker has taken so far, in megabytes.
    pub(crate) fn ingestion_peak_mb(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.stack.process_id(INGESTION))).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
    }

    /// Events and bytes of the history of each run that a workflow has had.
    pub(crate) fn histories(&self, id: &str) -> Vec<(u64, u64)> {
        let query = format!("WorkflowId = '{id}'");
        let listed = self.stack.temporal(&["workflow", "list", "--query", &query, "--output", "json"]);
        let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
        let runs = listed.as_array().unwrap().iter().map(|run| run["execution"]["runId"].as_str().unwrap());
        runs.map(|run| self.history(id, run)).collect()
    }

    fn history(&self, id: &str, run: &str) -> (u64, u64) {
        let described =
            self.stack.temporal(&["workflow", "describe", "--workflow-id", id, "--run-id", run, "--output", "json"]);
        let described: Value = serde_json::from_slice(&described.stdout).unwrap();
        let info = &described["workflowExecutionInfo"];
        let number = |field: &str| info[field].as_str().unwrap().parse().unwrap();
        (number("historyLength"), number("historySizeBytes"))
    }

    fn write(&self, key: &str, document: &impl Serialize) {
        let path = self.path(key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, serde_json::to_vec(document).unwrap()).unwrap();
    }

    /// Months of it take no room on the disk: the files have holes.
    fn write_silence(&self, key: &str, samples: u64) {
        fs::File::create(self.path(key)).unwrap().set_len(samples * 2).unwrap();
    }

    fn path(&self, key: &str) -> PathBuf {
        self.stack.folder().join("store").join(key)
    }
}

fn silent_chunk(index: u32, position: u32) -> Chunk {
    Chunk { index, offset: u64::from(position) * CHUNK_SAMPLES, length: CHUNK_SAMPLES, spans: Vec::new() }
}
