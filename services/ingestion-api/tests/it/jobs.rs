//! From a request to a job and its end.

use std::{
    io::Read,
    net::TcpListener,
    path::{Path, PathBuf},
    sync::mpsc::{self, Receiver},
};

use engine::hash::sha256_of;
use reqwest::Method;
use serde_json::{Value, json};
use test_stack::audio::repeated_sample;

use crate::{
    form::{Form, kind, recording},
    service::{SERVICE, STACK},
};

const SHA256: &str = "09352ed44ba259a74d8c220bf456b6dfe3b2d86bcd86920735fe3b6896d90e9d";
const SAID: &str = "ask not what your country can do for you";

fn wait_for(id: &str, status: &str) {
    STACK.wait_for(id, &format!("{id} is {status}"), |job| job["status"] == status);
}

#[tokio::test]
async fn an_upload_becomes_a_job_with_its_options() {
    let form = Form::new().text("language", "en").text("words", "true").text("id", "upload-1").file(&recording());
    let answer = SERVICE.post_form("/v1/jobs", form.text("prompt", "A speech.")).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    assert_eq!(answer.header("location"), "http://127.0.0.1:8001/v1/jobs/upload-1");
    let expected = json!({
        "id": "upload-1",
        "status": "running",
        "existing": false,
        "links": {
            "self": "http://127.0.0.1:8001/v1/jobs/upload-1",
            "events": "http://127.0.0.1:8001/v1/jobs/upload-1/events",
            "transcript": "http://127.0.0.1:8001/v1/jobs/upload-1/transcript.json",
            "cancel": "http://127.0.0.1:8000/v1/jobs/upload-1",
        },
    });
    assert_eq!(answer.json(), expected);
    wait_for("upload-1", "completed");
    let result = STACK.json(["result", "upload-1", "--json"]);
    assert!(result["text"].as_str().unwrap().contains(SAID), "{result}");
    assert!(result["words"].as_array().unwrap().len() > 20);
    assert_eq!(result["provenance"]["parameters"]["prompt"], "A speech.");
    assert_eq!(result["provenance"]["audio_sha256"], SHA256);
    let store = STACK.folder().join("store");
    assert_eq!(std::fs::read(store.join("uploads").join(SHA256)).unwrap(), recording());
    assert!(store.join("references").join(SHA256).join("upload-1").exists(), "the job needs its recording");
}

#[tokio::test]
async fn an_upload_that_was_damaged_is_replaced_by_the_next() {
    let recording = repeated_sample(12);
    let bytes = std::fs::read(recording.path()).unwrap();
    let sha256 = sha256_of(recording.path()).unwrap();
    let stored = STACK.folder().join("store/uploads").join(&sha256);
    for damaged in [&[], &bytes[..bytes.len() / 2]] {
        std::fs::create_dir_all(stored.parent().unwrap()).unwrap();
        std::fs::write(&stored, damaged).unwrap();
        let accepted = SERVICE.post_form("/v1/jobs", Form::new().text("language", "en").file(&bytes)).await;
        assert_eq!(accepted.status, 202);
        assert!(std::fs::read(&stored).unwrap() == bytes, "by way of the service");
        wait_for(accepted.json()["id"].as_str().unwrap(), "completed");
    }
    std::fs::write(&stored, &bytes[1..]).unwrap();
    STACK.text(["transcribe", recording.path().to_str().unwrap(), "--language", "en"]);
    assert!(std::fs::read(&stored).unwrap() == bytes, "by the command line");
}

#[tokio::test]
async fn what_lies_in_the_store_is_a_source_and_many_are_a_batch() {
    let uploaded = SERVICE.post_form("/v1/jobs", Form::new().text("id", "upload-2").file(&recording())).await;
    assert_eq!(uploaded.status, 202);
    let object = json!({ "object": format!("uploads/{SHA256}") });
    let job = json!({ "source": object, "speech": { "language": "en" }, "id": "object-1" });
    assert_eq!(SERVICE.post_json("/v1/jobs", &job).await.status, 202);
    wait_for("object-1", "completed");

    let batch = json!({ "sources": [object], "speech": { "language": "en" }, "concurrency": 2 });
    let answer = SERVICE.post_json("/v1/batches", &batch).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let [id, job] = [&answer.json()["id"], &answer.json()["jobs"][0]["id"]].map(|id| id.as_str().unwrap().to_owned());
    assert_eq!(answer.json()["jobs"][0]["source"], object["object"]);
    wait_for(&id, "completed");
    wait_for(&job, "completed");
    let again = SERVICE.post_json("/v1/batches", &batch).await.json();
    assert_eq!(again["id"], answer.json()["id"], "the same recordings with the same options are the same batch");

    let of_key = async |batch: &Value| {
        let headers = [("content-type", "application/json"), ("idempotency-key", "batch 17")];
        SERVICE.send(Method::POST, "/v1/batches", &headers, serde_json::to_vec(batch).unwrap()).await
    };
    let first = of_key(&batch).await;
    assert_eq!(first.status, 202, "{first:?}");
    wait_for(first.json()["id"].as_str().unwrap(), "completed");
    assert_eq!(of_key(&batch).await.json()["id"], first.json()["id"]);
    let other = json!({ "sources": [object], "speech": { "language": "de" } });
    let refused = of_key(&other).await;
    assert_eq!((refused.status, refused.json()["error"]["code"].as_str()), (422, Some("idempotency_key_reused")));
}

/// What the jobs have in common is stored once.
#[tokio::test]
async fn a_batch_takes_as_much_room_as_its_request() {
    let sources: Vec<Value> =
        (0..500).map(|number| json!({ "url": format!("http://127.0.0.1:1/{number}.mp3") })).collect();
    let speech = json!({ "prompt": "x".repeat(40_000) });
    let batch = json!({ "sources": sources, "speech": speech, "concurrency": 1, "id": "wide-1" });
    let answer = SERVICE.post_json("/v1/batches", &batch).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    assert_eq!(answer.json()["jobs"][499]["source"], "http://127.0.0.1:1/499.mp3");
    let folders = walk(&STACK.folder().join("store/batches/wide-1"));
    let bytes: u64 = folders.iter().map(|file| file.metadata().unwrap().len()).sum();
    assert!(bytes < 3 * batch.to_string().len() as u64, "{bytes} bytes");
    let answer = SERVICE.send(Method::DELETE, "/v1/jobs/wide-1", &[], Vec::new()).await;
    assert_eq!(answer.status, 202);
    wait_for("wide-1", "cancelled");
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[tokio::test]
async fn the_same_key_means_the_same_job() {
    let post = async |key: &str, form: Form| {
        let headers = [("content-type", kind()), ("idempotency-key", key.to_owned())];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        SERVICE.send(Method::POST, "/v1/jobs", &headers, form.end()).await
    };
    let send = async |key: &str| -> Value {
        let answer = post(key, Form::new().file(&recording())).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        answer.json()
    };
    let first = send("order 17").await;
    let again = send("order 17").await;
    let other = send("order 18").await;
    assert_eq!(
        (&first["existing"], &again["existing"], &other["existing"]),
        (&json!(false), &json!(true), &json!(false))
    );
    assert_eq!(first["id"], again["id"]);
    assert_ne!(first["id"], other["id"]);
    wait_for(first["id"].as_str().unwrap(), "completed");
    assert_eq!(send("order 17").await["status"], "completed");

    let answer = post("order 17", Form::new().text("language", "de").file(&recording())).await;
    assert_eq!(answer.status, 422, "another request with the key: {answer:?}");
    let error = &answer.json()["error"];
    assert_eq!((&error["param"], &error["code"]), (&json!("Idempotency-Key"), &json!("idempotency_key_reused")));
}

#[tokio::test]
async fn a_job_that_failed_is_started_again_and_one_that_ended_well_is_not() {
    let send = async |file: &[u8]| {
        let answer = SERVICE.post_form("/v1/jobs", Form::new().text("id", "again-1").file(file)).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        let answer = answer.json();
        json!([answer["existing"], answer["status"]])
    };
    assert_eq!(send(b"no recording").await, json!([false, "running"]));
    wait_for("again-1", "failed");
    assert_eq!(send(&recording()).await, json!([false, "running"]));
    wait_for("again-1", "completed");
    assert_eq!(send(b"no recording").await, json!([true, "completed"]));
    assert!(STACK.json(["result", "again-1", "--json"])["text"].as_str().unwrap().contains(SAID));
}

#[tokio::test]
async fn a_job_is_cancelled_wherever_it_is() {
    let (address, requested) = silent_server();
    let job = json!({ "source": { "url": format!("http://{address}/a.mp3") }, "id": "silent-1" });
    assert_eq!(SERVICE.post_json("/v1/jobs", &job).await.status, 202);
    requested.recv().unwrap();
    let answer = SERVICE.send(Method::DELETE, "/v1/jobs/silent-1", &[], Vec::new()).await;
    assert_eq!((answer.status, answer.json()), (202, json!({ "id": "silent-1", "status": "running" })));
    wait_for("silent-1", "cancelled");
    let answer = SERVICE.send(Method::DELETE, "/v1/jobs/silent-1", &[], Vec::new()).await;
    assert_eq!((answer.status, answer.json()), (202, json!({ "id": "silent-1", "status": "cancelled" })));
    let answer = SERVICE.send(Method::DELETE, "/v1/jobs/unknown", &[], Vec::new()).await;
    assert_eq!((answer.status, &answer.json()["error"]["type"]), (404, &json!("not_found")));
}

#[tokio::test]
async fn a_key_means_its_first_request_also_after_a_cancel() {
    let (address, requested) = silent_server();
    let send = async |file: &str| {
        let headers = [("content-type", "application/json"), ("idempotency-key", "cancelled 17")];
        let job = json!({ "source": { "url": format!("http://{address}/{file}") } });
        SERVICE.send(Method::POST, "/v1/jobs", &headers, job.to_string().into_bytes()).await
    };
    let first = send("a.mp3").await;
    let id = first.json()["id"].as_str().unwrap().to_owned();
    for _ in 0..2 {
        requested.recv().unwrap();
        let cancelled = SERVICE.send(Method::DELETE, &format!("/v1/jobs/{id}"), &[], Vec::new()).await;
        assert_eq!(cancelled.status, 202, "{cancelled:?}");
        wait_for(&id, "cancelled");
        let other = send("b.mp3").await;
        assert_eq!((other.status, other.json()["error"]["code"].as_str()), (422, Some("idempotency_key_reused")));
        let again = send("a.mp3").await;
        assert_eq!((again.status, &again.json()["existing"]), (202, &json!(false)), "it is started again: {again:?}");
    }
    SERVICE.send(Method::DELETE, &format!("/v1/jobs/{id}"), &[], Vec::new()).await;
}

/// A server that takes requests and never answers. Sends a message for each request.
fn silent_server() -> (String, Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (sender, requested) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let sender = sender.clone();
            std::thread::spawn(move || {
                // Reads until the client gives up.
                let mut piece = [0; 1024];
                while stream.read(&mut piece).is_ok_and(|length| length > 0) {
                    sender.send(()).ok();
                }
            });
        }
    });
    (address, requested)
}
