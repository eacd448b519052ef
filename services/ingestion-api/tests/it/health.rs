//! How a service tells how it is, and how it ends.

use std::io::{Read, Write};

use reqwest::Method;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use test_stack::{SmallDisk, Stack, wait_until};

use crate::{
    form::{Form, kind, recording},
    service::{Answer, SERVICE, STACK, Service},
};

#[tokio::test]
async fn healthy_degraded_and_unhealthy_are_told_apart() {
    let answer = SERVICE.get("/health").await;
    let healthy = json!({ "status": "healthy", "dependencies": { "temporal": "healthy", "store": "healthy" } });
    assert_eq!((answer.status, answer.json()), (200, healthy));

    let no_redis = ("LONGHAND_REDIS_URL", "redis://127.0.0.1:1");
    let degraded = Service::on(&STACK, &[no_redis]);
    let answer = degraded.get("/health").await;
    let dependencies = json!({ "temporal": "healthy", "store": "healthy", "redis": "unhealthy" });
    assert_eq!((answer.status, answer.json()), (200, json!({ "status": "degraded", "dependencies": dependencies })));
    assert_eq!(degraded.get("/ready").await.status, 200);

    let unhealthy = Service::alone(&[no_redis]);
    let answer = unhealthy.get("/health").await;
    let dependencies = json!({ "temporal": "unhealthy", "store": "healthy", "redis": "unhealthy" });
    assert_eq!((answer.status, answer.json()), (503, json!({ "status": "unhealthy", "dependencies": dependencies })));
    assert_eq!(unhealthy.get("/ready").await.status, 503);
    assert_eq!(unhealthy.get("/live").await.status, 200);

    let body = Form::new().file(&recording()).end();
    let refused = unhealthy.send(Method::POST, "/v1/jobs", &[("content-type", &kind())], body).await;
    assert_eq!(refused.status, 503, "{refused:?}");
    assert_eq!(refused.json()["error"]["type"], "unavailable");
    assert!(!refused.header("retry-after").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_takes_nothing_in_degrades_the_service() {
    let disk = SmallDisk::mount("1m");
    let store = disk.path().join("store");
    std::fs::create_dir(&store).unwrap();
    let filler = disk.path().join("filler");
    for case in ["full", "read-only"] {
        if case == "full" {
            std::fs::write(&filler, vec![0; 2 << 20]).unwrap_err();
        } else {
            disk.set_writable(false);
        }
        let service = Service::on(&STACK, &[("LONGHAND_STORE", store.to_str().unwrap())]);
        for path in ["/health", "/ready"] {
            let answer = service.get(path).await;
            let dependencies = json!({ "temporal": "healthy", "store": "degraded" });
            let degraded = json!({ "status": "degraded", "dependencies": dependencies });
            assert_eq!((answer.status, answer.json()), (200, degraded), "{case} {path}");
        }
        let refused = service.post_form("/v1/jobs", Form::new().file(&recording())).await;
        assert!([503, 507].contains(&refused.status), "{case}: {refused:?}");
        if case == "full" {
            std::fs::remove_file(&filler).unwrap();
        } else {
            disk.set_writable(true);
        }
        wait_until("the store is found to take something in again", || now(status(&service)) == "healthy");
    }
}

async fn status(service: &Service) -> String {
    service.get("/health").await.json()["status"].as_str().unwrap().to_owned()
}

/// For conditions that are no futures.
fn now<T>(future: impl Future<Output = T>) -> T {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(future))
}

#[tokio::test]
async fn nothing_is_accepted_while_a_needed_dependency_is_unavailable() {
    let mut stack = Stack::server_with(&[]);
    let service = Service::on(&stack, &[]);
    let upload = async |id: &str| service.post_form("/v1/jobs", Form::new().text("id", id).file(&recording())).await;
    let assert_unavailable = |refused: Answer, message: &str| {
        assert_eq!((refused.status, refused.header("retry-after")), (503, "2"), "{refused:?}");
        let error = &refused.json()["error"];
        assert_eq!(error["type"], "unavailable");
        assert!(error["message"].as_str().unwrap().contains(message), "{error}");
    };
    // What was sent to a server that hangs may be done by it later.
    stack.pause_server();
    assert_unavailable(upload("while-temporal-hangs").await, "Temporal does not answer");
    stack.resume_server();
    stack.kill_server();
    assert_unavailable(upload("without-temporal").await, "Temporal does not answer");
    assert_unavailable(service.send(Method::DELETE, "/v1/jobs/any", &[], Vec::new()).await, "Temporal does not answer");
    stack.start_server();

    let store = stack.folder().join("store");
    std::fs::remove_dir_all(&store).unwrap();
    std::fs::write(&store, "no folder").unwrap();
    assert_unavailable(upload("without-store").await, "the store does not answer");
    std::fs::remove_file(&store).unwrap();
    std::fs::create_dir(&store).unwrap();
    for id in ["without-temporal", "without-store"] {
        let answer = upload(id).await;
        assert_eq!(
            (answer.status, &answer.json()["existing"]),
            (202, &json!(false)),
            "nothing was accepted: {answer:?}"
        );
    }
}

#[tokio::test]
async fn the_program_itself_asks_for_a_containers_health() {
    let check_ready = |address: &str| {
        let mut command = std::process::Command::new(test_stack::program(test_stack::INGESTION_API));
        command.arg("--healthy").env("LONGHAND_INGESTION_API_ADDRESS", address).env("RUST_BACKTRACE", "0");
        command.output().unwrap()
    };
    assert!(check_ready(&SERVICE.address).status.success());
    let unhealthy = Service::alone(&[]);
    for (address, message) in [(unhealthy.address.as_str(), "is not ready"), ("127.0.0.1:1", "nothing answers at")] {
        let output = check_ready(address);
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && error.contains(message), "{error}");
    }
}

#[tokio::test]
async fn a_request_that_has_begun_is_answered_before_the_end() {
    let mut service = Service::on(&STACK, &[]);
    let pid = Pid::from_raw(service.pid().try_into().unwrap()).unwrap();
    let form = Form::new().text("id", "last-words").file(&recording()).end();
    let head = format!(
        "POST /v1/jobs HTTP/1.1\r\nHost: {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        service.address,
        kind(),
        form.len()
    );
    let mut connection = service.connect();
    connection.write_all(head.as_bytes()).unwrap();
    // Which the service says once it reads what was sent; a connection that it has not seen may be reset.
    let begun = b"HTTP/1.1 100 Continue\r\n\r\n";
    let mut received = [0; 25];
    connection.read_exact(&mut received).unwrap();
    assert_eq!(&received, begun, "{}", String::from_utf8_lossy(&received));

    kill_process(pid, Signal::TERM).unwrap();
    wait_until("the service has heard of its end", || service.log().contains("stopping"));
    let refused = service.get("/v1/models").await;
    assert_eq!((refused.status, refused.header("connection")), (503, "close"), "{refused:?}");
    assert!(!refused.header("retry-after").is_empty());
    connection.write_all(&form).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    assert!(service.ends_well());
    assert!(service.log().contains("stopped"), "{}", service.log());
}

#[test]
fn an_upload_that_outlasts_the_grace_leaves_nothing() {
    let mut service = Service::alone(&[("LONGHAND_API_GRACE_SECONDS", "1")]);
    let pid = Pid::from_raw(service.pid().try_into().unwrap()).unwrap();
    let mut connection = service.connect();
    let head = format!(
        "POST /v1/jobs HTTP/1.1\r\nHost: {}\r\nContent-Type: {}\r\nContent-Length: 9000000\r\n\r\n",
        service.address,
        kind()
    );
    connection.write_all(head.as_bytes()).unwrap();
    connection.write_all(&Form::new().file(&vec![0; 1_000_000]).torn()).unwrap();
    wait_until("the upload has begun", || service.has_uploads());
    kill_process(pid, Signal::TERM).unwrap();
    assert!(service.ends_well());
    assert!(service.log().contains("requests that had not ended are cut off"), "{}", service.log());
    assert!(!service.has_uploads(), "a rest of it is in the store");
}
