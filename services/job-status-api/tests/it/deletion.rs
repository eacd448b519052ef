//! A job that is deleted over HTTP, or from the page, is nowhere any more.

use std::time::{Duration, Instant};

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use crate::{browser::Window, service::Service};

/// Deletes the job with the ingestion API.
async fn delete(service: &Service, id: &str) -> (StatusCode, Value) {
    engine::tls::install_provider();
    let url = format!("{}/v1/jobs/{id}?purge=true", service.stack.embedded().ingestion_url());
    let answer = Client::builder().no_proxy().build().unwrap().delete(url).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

async fn wait_until_gone(service: &Service, id: &str) {
    let began = Instant::now();
    while service.get(&format!("/v1/jobs/{id}")).await.status() != StatusCode::NOT_FOUND {
        assert!(began.elapsed() < Duration::from_secs(240), "{id} is still there");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_deleted_job_is_not_found_anywhere() {
    let service = Service::start();
    service.transcribe("gone", &["--llm", "summary"]);
    service.transcribe("stays", &[]);
    let (status, answer) = delete(&service, "gone").await;
    assert_eq!((status, answer), (StatusCode::ACCEPTED, json!({ "id": "gone", "status": "completed" })));
    wait_until_gone(&service, "gone").await;
    for part in ["", "/events", "/audio", "/transcript.json", "/transcript.srt", "/llm", "/llm/summary", "/deliveries"]
    {
        let answer = service.get(&format!("/v1/jobs/gone{part}")).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{part}");
    }
    let listed = service.json("/v1/jobs").await;
    let ids: Vec<_> = listed["jobs"].as_array().unwrap().iter().map(|job| job["id"].clone()).collect();
    assert_eq!(ids, ["stays"]);
    assert_eq!(service.get("/v1/jobs/stays/audio").await.status(), StatusCode::OK, "the recording is the other's, too");
    let (status, answer) = delete(&service, "gone").await;
    assert_eq!((status, &answer["error"]["type"]), (StatusCode::NOT_FOUND, &json!("not_found")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_deleted_from_its_page() {
    let service = Service::start();
    service.transcribe("done", &[]);
    let Some(window) = Window::open(&format!("{}/#/jobs/done", service.url())).await else { return };
    window.wait_until("document.querySelector('.job-head .status.completed')").await;
    window
        .run("window.asked = []; window.confirm = question => { asked.push(question); return asked.length > 1; }")
        .await;
    window.click(".job-head .delete").await;
    window.wait_until("asked.length === 1").await;
    assert_eq!(service.get("/v1/jobs/done").await.status(), StatusCode::OK, "the answer was no");
    window.click(".job-head .delete").await;
    window.wait_until("location.hash === '#/'").await;
    wait_until_gone(&service, "done").await;
    window.wait_until("!document.querySelector('.empty').hidden").await;
    window.screenshot("job-deleted").await;
    window.close().await;
}
