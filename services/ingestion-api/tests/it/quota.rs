//! What is charged of a client's jobs for the day: those that were started, and nothing else.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use test_stack::{Stack, redis::Redis};

use crate::{
    access::keys_file,
    form::{Form, kind},
    service::{Answer, Service},
};

#[tokio::test]
async fn only_what_is_started_is_charged() {
    // Without workers jobs are started, and go no further.
    let stack = Stack::server_with(&[]);
    let redis = Redis::start();
    let folder = TempDir::new().unwrap();
    let keys = keys_file(&folder);
    for (round, redis) in [None, redis.as_ref().map(Redis::url)].into_iter().enumerate() {
        let mut settings = vec![("LONGHAND_API_KEYS", keys.as_str()), ("LONGHAND_API_JOBS_PER_DAY", "5")];
        settings.extend(redis.as_deref().map(|url| ("LONGHAND_REDIS_URL", url)));
        check(&Client { service: Service::on(&stack, &settings), round }).await;
    }
}

/// Five jobs are there to be had.
async fn check(client: &Client) {
    for refused in [json!({}), job("ftp://nowhere/", json!({})), job("http://a/", json!({ "id": "a.webhook" }))] {
        assert_eq!(client.post("/v1/jobs", &[], &refused).await.status, 400, "{refused}");
    }
    for _ in 0..6 {
        assert_eq!(client.post_form(Form::new().text("words", "maybe").file(b"RIFF")).await.status, 400);
    }

    let named = job("http://a/", json!({ "id": client.unique("named") }));
    assert_eq!(client.start(&[], &named).await, (202, json!(false)));
    assert_eq!(client.start(&[], &named).await, (202, json!(true)), "the job is there");
    let key = client.unique("key");
    let keyed = [("idempotency-key", key.as_str())];
    assert_eq!(client.start(&keyed, &job("http://b/", json!({}))).await, (202, json!(false)));
    assert_eq!(client.start(&keyed, &job("http://b/", json!({}))).await, (202, json!(true)));
    assert_eq!(client.start(&keyed, &job("http://c/", json!({}))).await.0, 422);

    let batch = json!({ "sources": [{ "url": "http://a/" }, { "url": "http://b/" }], "id": client.unique("batch") });
    for existing in [false, true] {
        let answer = client.post("/v1/batches", &[], &batch).await;
        assert_eq!((answer.status, &answer.json()["existing"]), (202, &json!(existing)), "{answer:?}");
    }

    for (path, taken) in [("/v1/jobs", &batch), ("/v1/batches", &named)] {
        let other = match path {
            "/v1/jobs" => job("http://a/", json!({ "id": taken["id"] })),
            _ => json!({ "sources": [{ "url": "http://a/" }], "id": taken["id"] }),
        };
        let answer = client.post(path, &[], &other).await;
        assert_eq!((answer.status, &answer.json()["error"]["param"]), (409, &json!("id")), "{answer:?}");
    }

    // One is left for eight that come at once.
    let at_once = job("http://d/", json!({}));
    let statuses = join_all((0..8).map(|_| client.start(&[], &at_once))).await;
    assert_eq!(statuses.iter().filter(|(status, _)| *status == 202).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|(status, _)| *status == 429).count(), 7, "{statuses:?}");

    let refused = client.post("/v1/jobs", &[], &at_once).await;
    assert_eq!((refused.status, &refused.json()["error"]["code"]), (429, &json!("insufficient_quota")));
    let fifth_of_a_day = 24 * 3600 / 5;
    let wait = refused.header("retry-after").parse::<u32>().unwrap();
    assert!((fifth_of_a_day - 60..=fifth_of_a_day).contains(&wait), "{refused:?}");
    assert_eq!(client.start(&[], &named).await, (202, json!(true)), "what is there is found with nothing left");
    let large = json!({ "sources": (0..6).map(|n| json!({ "url": format!("http://{n}/") })).collect::<Vec<_>>() });
    let refused = client.post("/v1/batches", &[], &large).await;
    assert!(refused.status == 429 && refused.text.contains("more than the 5"), "{refused:?}");

    let other = [("x-api-key", "bert's key")];
    assert_eq!(client.start(&other, &at_once).await, (202, json!(false)), "another key has another allowance");
    assert_eq!(client.start(&other, &named).await, (202, json!(false)), "and another tenant other jobs");
}

fn job(url: &str, more: Value) -> Value {
    let mut job = json!({ "source": { "url": url } });
    job.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    job
}

/// Anna, where no other key is sent.
struct Client {
    service: Service,
    round: usize,
}

impl Client {
    fn unique(&self, name: &str) -> String {
        format!("{name}-{}", self.round)
    }

    async fn post(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let mut headers = headers.to_vec();
        if !headers.iter().any(|(name, _)| *name == "x-api-key") {
            headers.push(("x-api-key", "anna's key"));
        }
        headers.push(("content-type", "application/json"));
        self.service.send(Method::POST, path, &headers, body.to_string().into_bytes()).await
    }

    /// The status, and whether the job was there before.
    async fn start(&self, headers: &[(&str, &str)], job: &Value) -> (u16, Value) {
        let answer = self.post("/v1/jobs", headers, job).await;
        (answer.status, answer.json()["existing"].clone())
    }

    async fn post_form(&self, form: Form) -> Answer {
        let headers = [("content-type", kind()), ("x-api-key", "anna's key".to_owned())];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        self.service.send(Method::POST, "/v1/jobs", &headers, form.end()).await
    }
}
