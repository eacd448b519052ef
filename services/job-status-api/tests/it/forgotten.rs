//! Temporal forgets a job some time after its end; its result stays in the store.

use futures_util::StreamExt;
use reqwest::StatusCode;
use test_stack::sample;

use crate::{
    events::{Event, events},
    service::Service,
};

#[tokio::test]
async fn a_job_that_temporal_has_forgotten_is_told_of_from_the_store() {
    let mut service = Service::start();
    service.transcribe("old", &["--words"]);
    let received: Vec<_> = events(&service, "old", None).await.collect().await;
    let known = service.json("/v1/jobs/old").await;

    service.stack.kill_server();
    service.stack.start_server_that_knows_nothing();
    // A service that has not known the job before.
    service.start_anew();

    let remembered = service.json("/v1/jobs/old").await;
    for field in
        ["kind", "status", "stage", "percent", "chunks_done", "chunks_total", "duration_s", "error", "provenance"]
    {
        assert_eq!(remembered[field], known[field], "{field}");
    }
    let received_again: Vec<_> = events(&service, "old", None).await.collect().await;
    let text = |events: Vec<Event>| -> Vec<_> { events.into_iter().filter(|event| event.name != "progress").collect() };
    assert_eq!(text(received_again), text(received));
    let recording = service.get("/v1/jobs/old/audio").await;
    assert_eq!(recording.status(), StatusCode::OK);
    assert!(recording.bytes().await.unwrap() == std::fs::read(sample()).unwrap());
    assert_eq!(service.json("/v1/jobs/old/deliveries").await, serde_json::json!([]));
    let shown = service.stack.json(["show", "old", "--json"]);
    for field in ["kind", "status", "stage", "chunks_done", "chunks_total", "duration_s", "provenance"] {
        assert_eq!(shown[field], known[field], "{field} on the command line");
    }
    assert_eq!(service.get("/v1/jobs/older").await.status(), StatusCode::NOT_FOUND);
}
