//! A job that failed and was started again under its id.

use futures_util::StreamExt;
use reqwest::StatusCode;
use test_stack::sample;

use crate::{events::events, service::Service};

#[tokio::test]
async fn a_job_that_was_started_again_is_told_of_as_it_is_now() {
    let service = Service::start();
    service.stack.longhand(["transcribe", "/etc/hostname", "--id", "again"]);
    let failed: Vec<_> = events(&service, "again", None).await.collect().await;
    assert_eq!(failed.last().unwrap().data["status"], "failed");
    let text = service.get("/v1/jobs/again/audio").await.bytes().await.unwrap();
    assert_eq!(text, std::fs::read("/etc/hostname").unwrap());

    let sample = sample();
    service.stack.text(["transcribe", &sample, "--language", "en", "--id", "again", "--detach"]);
    let received: Vec<_> = events(&service, "again", None).await.collect().await;
    assert_eq!(received.last().unwrap().data["status"], "completed", "an earlier run's end came: {received:?}");
    assert_eq!(service.json("/v1/jobs/again").await["status"], "completed");
    assert_eq!(service.get("/v1/jobs/again/transcript.txt").await.status(), StatusCode::OK);
    let recording = service.get("/v1/jobs/again/audio").await.bytes().await.unwrap();
    assert!(recording == std::fs::read(&sample).unwrap(), "it is the recording of the run before");
}
