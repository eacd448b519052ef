//! The service under test, and a client for it.

use std::{
    net::TcpStream,
    path::PathBuf,
    process::{Command, Output},
    sync::LazyLock,
    time::{Duration, Instant},
};

use reqwest::{Method, header::HeaderMap};
use serde_json::Value;
use tempfile::TempDir;
use test_stack::{INGESTION_API, Process, Readiness, Stack, await_ready, free_port, program, wait_until};

use crate::form::{Form, kind};

/// One stack for all tests that run jobs; these do not meet.
pub(crate) static STACK: LazyLock<Stack> =
    LazyLock::new(|| Stack::start_with(&[("LONGHAND_ALLOW_PRIVATE_URLS", "true")]));

/// The service on it.
pub(crate) static SERVICE: LazyLock<Service> = LazyLock::new(|| Service::on(&STACK, &[]));

pub(crate) struct Service {
    process: Process,
    pub(crate) address: String,
    folder: TempDir,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

/// Waits for a condition that the service brings about by itself.
pub(crate) async fn until(what: &str, mut satisfied: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !satisfied().await {
        assert!(started.elapsed() < Duration::from_secs(60), "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

impl Service {
    /// With the stack's Temporal and store.
    pub(crate) fn on(stack: &Stack, settings: &[(&str, &str)]) -> Self {
        let command = stack.command();
        let of_stack = command.get_envs().filter_map(|(name, value)| Some((name.to_str()?, value?.to_str()?)));
        Self::start(of_stack.chain(settings.iter().copied()).collect())
    }

    /// With a store, and nobody where Temporal should be.
    pub(crate) fn alone(settings: &[(&str, &str)]) -> Self {
        Self::start([("TEMPORAL_ADDRESS", "127.0.0.1:1")].iter().chain(settings).copied().collect())
    }

    fn start(settings: Vec<(&str, &str)>) -> Self {
        let folder = TempDir::new().unwrap();
        let address = format!("127.0.0.1:{}", free_port());
        let mut command = Command::new(program(INGESTION_API));
        command
            .env("LONGHAND_STORE", folder.path().join("store"))
            .env("LONGHAND_INGESTION_API_ADDRESS", &address)
            .envs(settings);
        let ready = Readiness::Line("service ready");
        let mut process = Process::start(command, &folder.path().join("log"), ready).unwrap();
        await_ready(INGESTION_API, &mut process);
        Self { process, address, folder }
    }

    /// Runs the program with these settings alone; for settings that it refuses.
    pub(crate) fn refused(settings: &[(&str, &str)]) -> Output {
        let folder = TempDir::new().unwrap();
        let mut command = Command::new(program(INGESTION_API));
        command.env("TEMPORAL_ADDRESS", "127.0.0.1:1").env("LONGHAND_STORE", folder.path());
        command.env("RUST_BACKTRACE", "0").envs(settings.iter().copied());
        command.output().unwrap()
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// Whether there are recordings in the store, or parts of some.
    pub(crate) fn has_uploads(&self) -> bool {
        let folders = ["uploads", "uploads/incoming"].map(|folder| std::fs::read_dir(self.store().join(folder)));
        let entries = folders.into_iter().flatten().flatten().map(|entry| entry.unwrap());
        entries.into_iter().any(|entry| entry.path().is_file())
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Waits for the process's end, and tells whether it was a good one.
    pub(crate) fn ends_well(&mut self) -> bool {
        wait_until("the service ends", || self.process.has_ended());
        self.process.kill().unwrap().success()
    }

    pub(crate) fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.address).unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], Vec::new()).await
    }

    pub(crate) async fn post_form(&self, path: &str, form: Form) -> Answer {
        self.send(Method::POST, path, &[("content-type", &kind())], form.end()).await
    }

    pub(crate) async fn post_json(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, &[("content-type", "application/json")], body.to_string().into_bytes()).await
    }

    pub(crate) async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        engine::tls::install_provider();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut request = client.request(method, format!("http://{}{path}", self.address)).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, text: response.text().await.unwrap() }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the service's log\n{}", self.log());
        }
    }
}
