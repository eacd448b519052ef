//! The result of a day of speech, asked for by many at once.

use std::fs;

use engine::{
    job::SpeechOptions,
    result::{JobResult, JobStatus, Provenance, Timings, VERSION},
    store::keys,
    transcript::{Segment, Word},
};
use futures_util::future::join_all;
use reqwest::StatusCode;
use test_stack::JOB_STATUS_API;

use crate::service::Service;

const SEGMENTS: u32 = 20_000;
const WORDS_PER_SEGMENT: u32 = 13;
const READERS: usize = 8;

/// What a container of the service gets.
const MEMORY_LIMIT_MB: u64 = 256;

#[tokio::test(flavor = "multi_thread")]
async fn a_day_of_words_is_handed_out_in_little_memory() {
    let service = Service::without_workers();
    let result = service.stack.folder().join("store").join(keys::result("day"));
    fs::create_dir_all(result.parent().unwrap()).unwrap();
    fs::write(&result, serde_json::to_vec(&a_day()).unwrap()).unwrap();
    for path in [
        "",
        "/llm",
        "/transcript.txt",
        "/transcript.srt",
        "/transcript.vtt",
        "/transcript.verbose_json",
        "/transcript.json",
    ] {
        let path = format!("/v1/jobs/day{path}");
        let lengths = join_all((0..READERS).map(|_| read(&service, &path))).await;
        assert!(lengths.iter().all(|length| *length == lengths[0]), "{path}: {lengths:?}");
        let used = highest_resident_mb(service.stack.pid(JOB_STATUS_API));
        eprintln!("{path}: {} bytes for each of {READERS} readers, {used} MB so far", lengths[0]);
        assert!(used < MEMORY_LIMIT_MB, "{path}: the service took {used} MB");
    }
}

/// Reads an answer to its end, keeping nothing, and gives its length.
async fn read(service: &Service, path: &str) -> usize {
    let mut answer = service.get(path).await;
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    let mut length = 0;
    while let Some(piece) = answer.chunk().await.unwrap() {
        length += piece.len();
    }
    length
}

fn highest_resident_mb(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

fn a_day() -> JobResult {
    let length = 86_400.0 / f64::from(SEGMENTS);
    let segments: Vec<_> = (0..SEGMENTS).map(|id| segment(id, f64::from(id) * length, length)).collect();
    JobResult {
        version: VERSION,
        job_id: "day".to_owned(),
        run_id: String::new(),
        status: JobStatus::Completed,
        errors: Vec::new(),
        text: segments.iter().map(|segment| segment.text.as_str()).collect(),
        language: "en".to_owned(),
        duration_s: 86_400.0,
        segments,
        llm: Default::default(),
        timings: Timings::default(),
        provenance: Provenance {
            parameters: Some(SpeechOptions::default()),
            chunks_total: 5_400,
            ..Default::default()
        },
    }
}

fn segment(id: u32, start: f64, length: f64) -> Segment {
    let step = length / f64::from(WORDS_PER_SEGMENT);
    let word = |position: u32| {
        let start = start + f64::from(position) * step;
        Word { word: format!(" word{}", id % 100 + position), start, end: start + step, probability: 0.987_654 }
    };
    let words: Vec<_> = (0..WORDS_PER_SEGMENT).map(word).collect();
    Segment {
        id,
        start,
        end: start + length,
        text: words.iter().map(|word| word.word.as_str()).collect::<String>() + ".",
        tokens: (0..WORDS_PER_SEGMENT + 3).map(|token| 50_000 - token).collect(),
        temperature: 0.0,
        avg_logprob: -0.234_567,
        compression_ratio: 1.5,
        no_speech_prob: 0.012_345,
        words,
        flags: Vec::new(),
    }
}
