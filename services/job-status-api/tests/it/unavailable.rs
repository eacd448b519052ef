//! What the service answers while something that it needs is unavailable.

use futures_util::future::join_all;
use reqwest::{Response, StatusCode};
use serde_json::Value;

use crate::service::Service;

const OF_TEMPORAL: [&str; 4] = ["/v1/jobs", "/v1/jobs/done", "/v1/jobs/done/events", "/v1/jobs/done/audio"];
const OF_THE_STORE: [&str; 2] = ["/v1/jobs/done/transcript.txt", "/v1/jobs/done/llm"];

#[tokio::test(flavor = "multi_thread")]
async fn what_is_away_is_told_and_missed_only_where_it_is_needed() {
    let mut service = Service::start();
    service.transcribe("done", &[]);

    service.stack.pause_server();
    for answer in join_all(OF_TEMPORAL.map(|path| service.get(path))).await {
        says_that_it_is_away(answer, "Temporal does not answer").await;
    }
    service.stack.resume_server();
    service.stack.kill_server();
    for answer in join_all(OF_TEMPORAL.map(|path| service.get(path))).await {
        says_that_it_is_away(answer, "Temporal does not answer").await;
    }
    for path in OF_THE_STORE {
        assert_eq!(service.get(path).await.status(), StatusCode::OK, "{path}");
    }
    assert_eq!(service.get("/ready").await.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(service.get("/live").await.status(), StatusCode::OK);
    service.stack.start_server();
    for path in OF_TEMPORAL {
        assert_eq!(service.get(path).await.status(), StatusCode::OK, "{path}");
    }

    let store = service.stack.folder().join("store");
    let elsewhere = service.stack.folder().join("elsewhere");
    std::fs::rename(&store, &elsewhere).unwrap();
    std::fs::write(&store, "no folder").unwrap();
    for answer in join_all(OF_THE_STORE.map(|path| service.get(path))).await {
        says_that_it_is_away(answer, "the store does not answer").await;
    }
    std::fs::remove_file(&store).unwrap();
    std::fs::rename(&elsewhere, &store).unwrap();
    for path in OF_THE_STORE {
        assert_eq!(service.get(path).await.status(), StatusCode::OK, "{path}");
    }
}

async fn says_that_it_is_away(answer: Response, message: &str) {
    let path = answer.url().path().to_owned();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
    assert!(answer.headers().contains_key("retry-after"), "{path}");
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["error"]["type"], "unavailable", "{path}");
    assert!(body["error"]["message"].as_str().unwrap().contains(message), "{path}: {body}");
}
