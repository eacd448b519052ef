//! The service and all that it needs, and how it is asked.

use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use test_stack::{INGESTION_API, JOB_STATUS_API, Stack, sample};

pub(crate) struct Service {
    pub(crate) stack: Stack,
    url: String,
}

impl Service {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    pub(crate) fn start_with(settings: &[(&str, &str)]) -> Self {
        let mut stack = Stack::start_with(settings);
        stack.start_worker(JOB_STATUS_API);
        stack.start_worker(INGESTION_API);
        let url = stack.embedded().status_url();
        Self { stack, url }
    }

    /// Without workers, so that no job goes on.
    pub(crate) fn without_workers() -> Self {
        let mut stack = Stack::server_with(&[]);
        stack.start_worker(JOB_STATUS_API);
        stack.start_worker(INGESTION_API);
        let url = stack.embedded().status_url();
        Self { stack, url }
    }

    /// Both services anew, found from outside at these addresses.
    pub(crate) fn publish_at(&mut self, status_url: &str, ingestion_url: &str) {
        self.stack.set("LONGHAND_STATUS_URL", status_url);
        self.stack.set("LONGHAND_INGESTION_URL", ingestion_url);
        for service in [JOB_STATUS_API, INGESTION_API] {
            self.stack.kill(service);
            self.stack.start_worker(service);
        }
    }

    /// Stops the service, and starts one that remembers nothing.
    pub(crate) fn start_anew(&mut self) {
        self.stack.kill(JOB_STATUS_API);
        self.stack.start_worker(JOB_STATUS_API);
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        engine::tls::install_provider();
        Client::builder().no_proxy().build().unwrap().request(method, format!("{}{path}", self.url))
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    pub(crate) async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.json().await.unwrap()
    }

    /// Runs a job on the sample to its end.
    pub(crate) fn transcribe(&self, id: &str, flags: &[&str]) {
        let sample = sample();
        let line = ["transcribe", &sample, "--language", "en", "--id", id];
        self.stack.text(line.into_iter().chain(flags.iter().copied()));
    }
}
