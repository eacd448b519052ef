//! Jobs that are started again under their ids: one that failed, and those whose results are damaged.

use std::path::Path;

use engine::hash::hexadecimal;
use futures_util::StreamExt;
use reqwest::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
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

    assert_eq!(service.json("/v1/jobs/again").await["status"], "failed");
    let sample = sample();
    service.stack.text(["transcribe", &sample, "--language", "en", "--id", "again", "--detach"]);
    assert_ne!(service.json("/v1/jobs/again").await["status"], "failed", "it is what the run before was");
    let received: Vec<_> = events(&service, "again", None).await.collect().await;
    assert_eq!(received.last().unwrap().data["status"], "completed", "an earlier run's end came: {received:?}");
    assert_eq!(service.json("/v1/jobs/again").await["status"], "completed");
    assert_eq!(service.get("/v1/jobs/again/transcript.txt").await.status(), StatusCode::OK);
    let recording = service.get("/v1/jobs/again/audio").await.bytes().await.unwrap();
    assert!(recording == std::fs::read(&sample).unwrap(), "it is the recording of the run before");
}

/// Under the id that the job has, whoever submits it.
#[tokio::test]
async fn a_result_that_is_damaged_is_named_and_made_again() {
    let service = Service::start();
    service.transcribe("cli", &[]);
    let said = service.stack.text(["result", "cli"]);
    let sha256 = hexadecimal(&Sha256::digest(std::fs::read(sample()).unwrap()));
    let request =
        json!({ "source": { "object": format!("uploads/{sha256}") }, "speech": { "language": "en" }, "id": "api" });
    let submit = async || {
        let url = format!("{}/v1/jobs", service.stack.embedded().ingestion_url());
        let request = reqwest::Client::builder().no_proxy().build().unwrap().post(url).body(request.to_string());
        let answer = request.header("content-type", "application/json").send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        answer.json::<Value>().await.unwrap()["existing"].clone()
    };
    assert_eq!(submit().await, false);
    service.stack.wait_for("api", "it has ended", |job| job["status"] == "completed");
    assert_eq!(submit().await, true, "what is whole is left alone");

    let damages: [fn(&Path, &[u8]); 3] = [
        |result, _| std::fs::write(result, "").unwrap(),
        |result, whole| std::fs::write(result, &whole[..whole.len() - 100]).unwrap(),
        |result, _| std::fs::remove_file(result).unwrap(),
    ];
    for (job, damage) in ["cli", "api"].into_iter().flat_map(|job| damages.map(|damage| (job, damage))) {
        let result = service.stack.folder().join(format!("store/jobs/{job}/result.json"));
        damage(&result, &std::fs::read(&result).unwrap());
        if std::fs::read(&result).is_ok_and(|left| left.is_empty()) {
            for part in ["transcript.json", "transcript.srt", "llm"] {
                let answer = service.get(&format!("/v1/jobs/{job}/{part}")).await;
                let (status, body) = (answer.status(), answer.json::<Value>().await.unwrap());
                assert_eq!((status, &body["error"]["code"]), (StatusCode::INTERNAL_SERVER_ERROR, &"damaged".into()));
                let message = body["error"]["message"].as_str().unwrap();
                let object = format!("jobs/{job}/result.json");
                assert!(message.contains(&object) && message.contains("submit the job again"), "{message}");
            }
            let told: Vec<_> = events(&service, job, None).await.collect().await;
            assert!(told.last().unwrap().data["error"].as_str().unwrap().contains("result.json"), "{told:?}");
        }
        match job {
            "cli" => service.transcribe(job, &[]),
            _ => assert_eq!(submit().await, false, "it begins again"),
        }
        let mended = service.stack.json(["watch", job, "--json"]);
        assert_eq!((&mended["status"], &mended["provenance"]["chunks_computed"]), (&"completed".into(), &0.into()));
        assert_eq!(service.get(&format!("/v1/jobs/{job}/transcript.txt")).await.text().await.unwrap(), said);
    }
}
