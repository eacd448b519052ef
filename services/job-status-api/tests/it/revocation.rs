//! A key that is revoked opens nothing any more, what it has opened before included.

use std::{fs, time::Duration};

use engine::hash::hexadecimal;
use futures_util::StreamExt;
use reqwest::Method;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use test_stack::sample;

use crate::service::Service;

/// How long the test waits at most. The service looks at its keys every few seconds.
const PATIENCE: Duration = Duration::from_secs(120);

fn line(name: &str) -> String {
    format!("{name} * {}\n", hexadecimal(&Sha256::digest(name)))
}

#[tokio::test]
async fn a_stream_ends_when_its_key_is_revoked() {
    let folder = TempDir::new().unwrap();
    let keys = folder.path().join("keys");
    fs::write(&keys, [line("leaves"), line("stays")].concat()).unwrap();
    // Without workers, the job goes on for ever.
    let service = Service::without_workers_with(&[("LONGHAND_API_KEYS", keys.to_str().unwrap())]);
    service.stack.text(["transcribe", &sample(), "--id", "endless", "--detach"]);
    let [mut leaves, mut stays] = [follow(&service, "leaves").await, follow(&service, "stays").await];
    for stream in [&mut leaves, &mut stays] {
        assert!(stream.next().await.unwrap().unwrap().starts_with(b"event: progress"));
    }
    fs::write(&keys, line("stays")).unwrap();
    let rest = tokio::time::timeout(PATIENCE, leaves.collect::<Vec<_>>()).await.expect("the stream goes on");
    assert!(rest.iter().all(Result::is_ok), "it ends as streams do");
    // The other one is told that nothing happens, by a comment.
    assert!(stays.next().await.unwrap().is_ok());
}

async fn follow(
    service: &Service,
    key: &str,
) -> std::pin::Pin<Box<dyn futures_util::Stream<Item = reqwest::Result<bytes::Bytes>>>> {
    let request = service.request(Method::GET, "/v1/jobs/endless/events").header("x-api-key", key);
    request.send().await.unwrap().error_for_status().unwrap().bytes_stream().boxed()
}
