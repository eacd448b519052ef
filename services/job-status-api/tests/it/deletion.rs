//! A job that is deleted over HTTP, or from the page, is nowhere any more.

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
    time::{Duration, Instant},
};

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use test_stack::INGESTION;

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

async fn post(service: &Service, path: &str, body: &Value) -> (StatusCode, Value) {
    engine::tls::install_provider();
    let url = format!("{}{path}", service.stack.embedded().ingestion_url());
    let answer = Client::builder().no_proxy().build().unwrap().post(url).json(body).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

fn is_refused(answer: &(StatusCode, Value), code: &str) -> bool {
    answer.0 == StatusCode::CONFLICT && answer.1["error"]["code"] == code
}

/// From the moment at which the deletion is accepted, whether a worker is there or not.
#[tokio::test]
async fn what_is_being_deleted_is_refused_to_everybody() {
    let mut service = Service::start();
    service.transcribe("going", &[]);
    let recording = service.json("/v1/jobs/going").await["provenance"]["audio_sha256"].clone();
    let again = json!({ "id": "going", "source": { "object": format!("uploads/{}", recording.as_str().unwrap()) } });
    service.stack.kill(INGESTION);
    assert_eq!(delete(&service, "going").await.0, StatusCode::ACCEPTED);
    let refused = post(&service, "/v1/jobs", &again).await;
    assert!(is_refused(&refused, "being_deleted"), "{refused:?}");
    for part in ["", "/events", "/audio", "/transcript.txt", "/llm", "/deliveries"] {
        let answer = service.get(&format!("/v1/jobs/going{part}")).await;
        let answer = (answer.status(), answer.json().await.unwrap());
        assert!(is_refused(&answer, "being_deleted"), "{part}: {answer:?}");
    }
    assert_eq!(delete(&service, "going").await.0, StatusCode::ACCEPTED, "once more is none the worse");

    let mut waiting = service.stack.command();
    let mut waiting = waiting.args(["delete", "going", "--yes"]).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(waiting.stderr.take().unwrap()).lines();
    let said = said.next().unwrap().unwrap();
    assert!(said.contains("no ingestion-worker") && said.contains("goes on by itself"), "{said}");
    service.stack.start_worker(INGESTION);
    assert!(waiting.wait().unwrap().success());
    assert_eq!(service.get("/v1/jobs/going").await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_batch_goes_with_the_jobs_of_all_its_runs() {
    let mut service = Service::start();
    let url = |name: &str| json!({ "url": format!("http://127.0.0.1:1/{name}.mp3") });
    let batch = |id: &str, names: &[&str]| json!({ "id": id, "sources": names.iter().map(|name| url(name)).collect::<Vec<_>>() });
    let mut members = Vec::new();
    for names in [&["one", "two"][..], &["three"]] {
        let (status, answer) = post(&service, "/v1/batches", &batch("twice", names)).await;
        assert_eq!((status, &answer["existing"]), (StatusCode::ACCEPTED, &json!(false)), "{answer}");
        members.extend(answer["jobs"].as_array().unwrap().iter().map(|job| job["id"].as_str().unwrap().to_owned()));
        service.stack.wait_for("twice", "the batch has ended", |state| state["status"] != "running");
    }
    service.transcribe("twice.not", &[]);

    service.stack.kill(INGESTION);
    assert_eq!(post(&service, "/v1/batches", &batch("runs", &["one", "two"])).await.0, StatusCode::ACCEPTED);
    let same = post(&service, "/v1/batches", &batch("runs", &["one", "two"])).await;
    assert_eq!((same.0, &same.1["existing"]), (StatusCode::ACCEPTED, &json!(true)));
    let other = post(&service, "/v1/batches", &batch("runs", &["three"])).await;
    assert!(is_refused(&other, "id_taken"), "{other:?}");
    let many: Vec<_> = (0..300).map(|number| number.to_string()).collect();
    let many = batch("many", &many.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(post(&service, "/v1/batches", &many).await.0, StatusCode::ACCEPTED);
    assert!(service.stack.temporal(&["workflow", "terminate", "--workflow-id", "many"]).status.success());

    for id in ["twice", "many"] {
        assert_eq!(delete(&service, id).await.0, StatusCode::ACCEPTED);
    }
    let list = || std::fs::read(service.stack.folder().join("store/batches/twice/requests.json")).unwrap();
    let before = list();
    let refused = post(&service, "/v1/batches", &batch("twice", &["four"])).await;
    assert!(is_refused(&refused, "being_deleted"), "{refused:?}");
    let child = json!({ "id": members[0], "source": url("one") });
    let refused = post(&service, "/v1/jobs", &child).await;
    assert!(is_refused(&refused, "being_deleted"), "{refused:?}");
    assert_eq!(list(), before, "nothing is written for what is refused");
    service.stack.start_worker(INGESTION);
    for id in ["twice", "many"].into_iter().chain(members.iter().map(String::as_str)) {
        wait_until_gone(&service, id).await;
    }
    let listed = service.json("/v1/jobs").await;
    let ids: Vec<_> = listed["jobs"].as_array().unwrap().iter().filter_map(|job| job["id"].as_str()).collect();
    assert!(ids.contains(&"twice.not") && ids.iter().all(|id| *id == "twice.not" || id.starts_with("runs")), "{ids:?}");
    let told = service.stack.log_of(INGESTION);
    let of_many = told.matches("asked_for=many").count();
    assert_eq!(of_many, 1, "none of its jobs was begun");
}

#[tokio::test]
async fn a_recording_that_was_deleted_is_heard_by_those_who_still_have_it() {
    let service = Service::start();
    service.transcribe("without", &[]);
    service.transcribe("with", &[]);
    service.stack.text(["delete", "without", "--recording", "--yes"]);
    let answer = service.get("/v1/jobs/without/audio").await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    assert_eq!(answer.json::<Value>().await.unwrap()["error"]["code"], "no_recording");
    assert_eq!(service.get("/v1/jobs/without/transcript.txt").await.status(), StatusCode::OK);
    assert_eq!(service.get("/v1/jobs/with/audio").await.status(), StatusCode::OK);
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
