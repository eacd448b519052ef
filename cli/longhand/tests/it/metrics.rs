//! What the workers count for Prometheus.

use std::{
    collections::BTreeSet,
    io::{Read, Write},
    net::TcpStream,
};

use test_stack::{INGESTION, LLM, Stack, TRANSCRIPTION, free_port, sample};

#[test]
fn workers_count_what_they_do_and_nothing_that_was_said() {
    let mut stack = Stack::server_with(&[("LONGHAND_LLM_PROMPT_PRICE", "0.5")]);
    let workers = [INGESTION, TRANSCRIPTION, LLM].map(|worker| {
        let address = format!("127.0.0.1:{}", free_port());
        stack.set("LONGHAND_METRICS_ADDRESS", &address);
        stack.start_worker(worker);
        (worker, address)
    });
    stack.text(["transcribe", &sample(), "--language", "en", "--id", "counted", "--llm", "summary"]);
    for (worker, address) in workers {
        let output = scrape(&address);
        let ours: BTreeSet<_> = output.lines().filter(|line| line.starts_with("longhand_")).collect();
        let expected: &[&str] = match worker {
            INGESTION => &[
                "longhand_ingested_audio_seconds_sum 11",
                "longhand_jobs_total{status=\"completed\"} 1",
                "longhand_job_wall_seconds_count{status=\"completed\"} 1",
            ],
            TRANSCRIPTION => &[
                "longhand_chunk_audio_seconds_count 1",
                "longhand_chunk_recognition_seconds_count 1",
                "longhand_chunks_total{outcome=\"computed\"} 1",
            ],
            _ => &[
                "longhand_llm_calls_total{",
                "longhand_llm_cost_sum{",
                "kind=\"completion\"",
                "kind=\"prompt\"",
                "provider=\"local\"",
            ],
        };
        for line in expected {
            assert!(ours.iter().any(|output| output.contains(line)), "{worker} does not tell {line}: {ours:#?}");
        }
        assert!(output.contains("temporal_activity_execution_latency_seconds"), "{worker}: {output}");
        for secret in ["counted", "Americans", "jfk"] {
            assert!(!output.contains(secret), "{worker} tells {secret}");
        }
    }
}

fn scrape(address: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET /metrics HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
