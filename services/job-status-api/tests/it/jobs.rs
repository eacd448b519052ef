//! Lists of jobs, and what is answered to requests that cannot be met.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::service::Service;

#[tokio::test]
async fn jobs_are_listed_page_by_page_and_shown_one_by_one() {
    let service = Service::start();
    for id in ["first", "second", "third"] {
        service.transcribe(id, &[]);
    }
    service.stack.longhand(["transcribe", "/etc/hostname", "--id", "broken"]);
    test_stack::wait_until("all jobs are listed", || {
        service.stack.json(["list", "--json"]).as_array().unwrap().len() == 4
    });

    assert_eq!(listed_one_by_one(&service).await, ["broken", "third", "second", "first"]);

    for (query, expected) in [
        ("status=failed", vec!["broken"]),
        ("status=completed&kind=transcribe", vec!["third", "second", "first"]),
        ("kind=llm", vec![]),
        ("status=running", vec![]),
    ] {
        let found = service.json(&format!("/v1/jobs?{query}")).await;
        let ids: Vec<_> = found["jobs"].as_array().unwrap().iter().map(|job| job["id"].as_str().unwrap()).collect();
        assert_eq!(ids, expected, "{query}");
    }

    let done = service.json("/v1/jobs/third").await;
    assert_eq!(
        json!([done["status"], done["stage"], done["percent"], done["chunks_done"], done["error"]]),
        json!(["completed", "done", 100.0, 1, null])
    );
    assert_eq!(done["provenance"]["chunks_reused"], 1, "{done}");
    let broken = service.json("/v1/jobs/broken").await;
    assert_eq!(broken["status"], "failed");
    assert!(broken["error"].as_str().unwrap().starts_with("ingest: "), "{broken}");

    let list = service.stack.folder().join("list.txt");
    std::fs::write(&list, format!("{}\n/etc/hostname\n", test_stack::sample())).unwrap();
    service.stack.longhand(["batch", list.to_str().unwrap(), "--language", "en", "--id", "box"]);
    let batch = service.json("/v1/jobs/box").await;
    assert_eq!(
        json!([
            batch["status"],
            batch["jobs_done"],
            batch["jobs_total"],
            batch["jobs"]["completed"],
            batch["jobs"]["failed"]
        ]),
        json!(["completed", 2, 2, 1, 1]),
        "the numbers of a batch that has ended"
    );

    // It started before its jobs and ended after them.
    let listed = listed_one_by_one(&service).await;
    assert_eq!(listed[0], "box", "{listed:?}");
    let of_batch = listed.iter().filter(|id| id.starts_with("box.")).count();
    assert_eq!((of_batch, listed.len()), (2, 7), "{listed:?}");
}

async fn listed_one_by_one(service: &Service) -> Vec<String> {
    let mut listed = Vec::new();
    let mut path = "/v1/jobs?limit=1".to_owned();
    loop {
        let page = service.json(&path).await;
        let jobs = page["jobs"].as_array().unwrap();
        assert!(jobs.len() <= 1);
        listed.extend(jobs.iter().map(|job| job["id"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { return listed };
        path = format!("/v1/jobs?limit=1&cursor={cursor}");
    }
}

#[tokio::test]
async fn requests_that_cannot_be_met_are_told_why() {
    let service = Service::start();
    service.stack.longhand(["transcribe", "/etc/hostname", "--id", "broken"]);
    service.transcribe("done", &[]);
    let cases: [(Method, &str, Option<Value>, StatusCode, &str); 14] = [
        (Method::GET, "/v1/jobs/none", None, StatusCode::NOT_FOUND, "there is no job none"),
        (Method::GET, "/v1/jobs/none/events", None, StatusCode::NOT_FOUND, "there is no job none"),
        (Method::GET, "/v1/jobs/none/transcript.txt", None, StatusCode::NOT_FOUND, "there is no job none"),
        (Method::GET, "/v1/jobs/none/audio", None, StatusCode::NOT_FOUND, "there is no job none"),
        (Method::GET, "/v1/jobs/broken/transcript.txt", None, StatusCode::CONFLICT, "the job broken is failed"),
        (Method::GET, "/v1/jobs/done/transcript.doc", None, StatusCode::NOT_FOUND, "a job has no transcript.doc"),
        (Method::GET, "/v1/jobs/done/llm/summary", None, StatusCode::NOT_FOUND, "no answer to \"summary\""),
        (Method::GET, "/v1/jobs?limit=0", None, StatusCode::BAD_REQUEST, "ask for 1 to 200 jobs"),
        (Method::GET, "/v1/jobs?cursor=x", None, StatusCode::BAD_REQUEST, "the cursor is none"),
        (Method::GET, "/v1/jobs?cursor=e30x", None, StatusCode::BAD_REQUEST, "the cursor is none"),
        (Method::GET, "/v1/jobs?status=lost", None, StatusCode::BAD_REQUEST, "lost"),
        (Method::POST, "/v1/jobs/done/llm", Some(json!({})), StatusCode::BAD_REQUEST, "either a task or a question"),
        (Method::POST, "/v1/jobs/broken/llm", Some(json!({"task": "summary"})), StatusCode::CONFLICT, "is failed"),
        (Method::DELETE, "/v1/jobs/done", None, StatusCode::METHOD_NOT_ALLOWED, "this method is not possible"),
    ];
    for (method, path, body, status, says) in cases {
        let request = service.request(method, path);
        let request = body
            .iter()
            .fold(request, |request, body| request.header("content-type", "application/json").body(body.to_string()));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
        let body: Value = answer.json().await.unwrap();
        assert!(body["error"]["message"].as_str().unwrap().contains(says), "{path}: {body}");
    }
}
