//! The two services as a patient client uses them: who is away or busy is asked again.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use test_stack::Stack;

const PATIENCE: Duration = Duration::from_secs(300);
const PAUSE: Duration = Duration::from_millis(100);
const BOUNDARY: &str = "simulated";

pub(super) struct Web {
    client: Client,
    ingestion: String,
    status: String,
}

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
    pub(super) at_first_try: bool,
}

impl Web {
    pub(super) fn new(stack: &Stack) -> Self {
        engine::tls::install_provider();
        let client = Client::builder().no_proxy().timeout(Duration::from_secs(90)).build().unwrap();
        let (ingestion, status) = (stack.embedded().ingestion_url(), stack.embedded().status_url());
        Self { client, ingestion, status }
    }

    pub(super) async fn submit(&self, fields: &[(&str, &str)], recording: &[u8]) -> Answer {
        let form = Bytes::from(form(fields, recording));
        let request = || self.upload().body(form.clone());
        self.ask("a recording is taken", request).await
    }

    /// Sends half a form, and goes.
    pub(super) async fn break_off(&self, recording: &[u8]) {
        let half = Bytes::copy_from_slice(&form(&[], recording)[..recording.len() / 2]);
        let pieces = stream::iter([Ok(half), Err(std::io::Error::other("the client goes"))]);
        let sent = self.upload().body(reqwest::Body::wrap_stream(pieces)).send().await;
        assert!(sent.is_err(), "half a form was answered");
    }

    fn upload(&self) -> RequestBuilder {
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        self.client.post(format!("{}/v1/jobs", self.ingestion)).header("content-type", kind)
    }

    pub(super) async fn submit_batch(&self, batch: &Value) -> Answer {
        let request = || self.client.post(format!("{}/v1/batches", self.ingestion)).json(batch);
        self.ask("a batch is taken", request).await
    }

    pub(super) async fn delete(&self, id: &str, purge: bool) -> Answer {
        let url = format!("{}/v1/jobs/{id}?purge={purge}", self.ingestion);
        self.ask(&format!("{id} is deleted"), || self.client.request(Method::DELETE, &url)).await
    }

    pub(super) async fn show(&self, id: &str) -> Answer {
        let url = format!("{}/v1/jobs/{id}", self.status);
        self.ask(&format!("{id} is shown"), || self.client.get(&url)).await
    }

    /// Waits until a job has the state that satisfies.
    pub(super) async fn wait_for(&self, id: &str, what: &str, satisfies: impl Fn(&Answer) -> bool) -> Answer {
        let began = Instant::now();
        loop {
            let shown = self.show(id).await;
            if satisfies(&shown) {
                return shown;
            }
            assert!(began.elapsed() < PATIENCE, "waited in vain: {what}: {id} is {shown:?}");
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Follows a job's events to the last one; again where the stream broke off.
    pub(super) async fn follow(&self, id: &str) {
        let (began, mut last_id) = (Instant::now(), None);
        while !self.has_followed(id, &mut last_id).await {
            assert!(began.elapsed() < PATIENCE, "waited in vain for the end of {id}'s events");
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn has_followed(&self, id: &str, last_id: &mut Option<String>) -> bool {
        let request = self.client.get(format!("{}/v1/jobs/{id}/events", self.status));
        let request = last_id.iter().fold(request, |request, id| request.header("last-event-id", id));
        let Ok(answer) = request.send().await else { return false };
        // Retention may have taken it meanwhile.
        if answer.status() == 404 {
            return true;
        }
        let (mut pieces, mut text) = (answer.bytes_stream(), String::new());
        while let Some(Ok(piece)) = pieces.next().await {
            text.push_str(&String::from_utf8_lossy(&piece));
            if let Some(id) = text.lines().rev().find_map(|line| line.strip_prefix("id: ")) {
                *last_id = Some(id.to_owned());
            }
            if text.contains("event: done") {
                return true;
            }
        }
        false
    }

    async fn ask(&self, what: &str, request: impl Fn() -> RequestBuilder) -> Answer {
        let (began, mut at_first_try) = (Instant::now(), true);
        loop {
            let told = match answer(request()).await {
                Ok((status, body)) if !matches!(status, 409 | 503) => return Answer { status, body, at_first_try },
                Ok((status, body)) => format!("{status} {body}"),
                Err(error) => error.to_string(),
            };
            assert!(began.elapsed() < PATIENCE, "waited in vain: {what}: {told}");
            at_first_try = false;
            tokio::time::sleep(PAUSE).await;
        }
    }
}

async fn answer(request: RequestBuilder) -> reqwest::Result<(u16, Value)> {
    let answer = request.send().await?;
    let status = answer.status().as_u16();
    let text = answer.text().await?;
    Ok((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
}

fn form(fields: &[(&str, &str)], recording: &[u8]) -> Vec<u8> {
    let mut form = Vec::new();
    let texts = fields.iter().map(|(name, value)| (format!("name=\"{name}\""), value.as_bytes()));
    for (name, value) in texts.chain([("name=\"file\"; filename=\"a.wav\"".to_owned(), recording)]) {
        form.extend(format!("--{BOUNDARY}\r\nContent-Disposition: form-data; {name}\r\n\r\n").into_bytes());
        form.extend([value, b"\r\n"].concat());
    }
    form.extend(format!("--{BOUNDARY}--\r\n").into_bytes());
    form
}
