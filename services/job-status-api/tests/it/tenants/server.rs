//! A server with keys of two tenants and an admin, and what the tenants have there.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Mutex,
        mpsc::{self, Receiver},
    },
};

use engine::hash::hexadecimal;
use reqwest::{Client, Method, header::HeaderMap};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use test_stack::{audio::faint, wait_until};

use crate::service::Service;

pub(super) const ACME: &str = "the key of acme";
pub(super) const GLOBEX: &str = "the key of globex";
pub(super) const ADMIN: &str = "the key of an admin";

pub(super) const WEBHOOK_SECRET: &str = "what acme signs with";

const BOUNDARY: &str = "tenants";

pub(super) struct Server {
    service: Service,
    client: Client,
    pub(super) ingestion: String,
    pub(super) status: String,
    messages: Mutex<Receiver<Message>>,
    /// The SHA-256 of acme's recording, which globex has not.
    pub(super) recording: String,
    pub(super) batch: String,
    pub(super) batch_child: String,
    /// The job of acme's idempotency key.
    pub(super) keyed: String,
    _keys: TempDir,
}

/// A webhook's message as it came in.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) timestamp: u64,
    pub(super) signature: String,
    pub(super) body: String,
}

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

impl Server {
    /// Acme has a job `talk` with an answer, a later question and a webhook, one by idempotency key, one whose recording
    /// is on the web, and a batch `many`. Globex has a job `mine`.
    pub(super) async fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let write = |name: &str, text: String| {
            fs::write(folder.path().join(name), text).unwrap();
            folder.path().join(name).display().to_string()
        };
        let hash = |key: &str| hexadecimal(&Sha256::digest(key));
        let keys = format!("acme {}\nbob globex {}\nroot * {}\n", hash(ACME), hash(GLOBEX), hash(ADMIN));
        let secrets = format!("globex another\nacme {WEBHOOK_SECRET}\n");
        let service = Service::start_with(&[
            ("LONGHAND_API_KEYS", &write("keys", keys)),
            ("LONGHAND_WEBHOOK_SECRETS", &write("secrets", secrets)),
            ("LONGHAND_ALLOW_PRIVATE_URLS", "true"),
        ]);
        engine::tls::install_provider();
        let client = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let (receiver, messages) = receiver();
        let recording = fs::read(faint(2).path()).unwrap();
        let mut server = Self {
            ingestion: service.stack.embedded().ingestion_url(),
            status: service.stack.embedded().status_url(),
            service,
            client,
            messages: Mutex::new(messages),
            recording: hexadecimal(&Sha256::digest(&recording)),
            batch: "many".to_owned(),
            batch_child: String::new(),
            keyed: String::new(),
            _keys: folder,
        };
        server.fill(&recording, &receiver).await;
        server
    }

    async fn fill(&mut self, recording: &[u8], receiver: &str) {
        let webhook = format!("http://{receiver}/hook");
        let talk = [("id", "talk"), ("language", "en"), ("llm", "summary"), ("webhook", webhook.as_str())];
        self.upload(ACME, &[], &talk, recording).await;
        self.upload(GLOBEX, &[], &[("id", "mine"), ("language", "en")], &fs::read(faint(3).path()).unwrap()).await;
        let keyed = self.upload(ACME, &[("idempotency-key", "order 17")], &[("language", "en")], recording).await;
        self.keyed = keyed["id"].as_str().unwrap().to_owned();
        let linked = json!({ "source": { "url": "http://127.0.0.1:1/a.mp3" }, "id": "linked" });
        let object = json!({ "object": format!("uploads/{}", self.recording) });
        let batch = json!({ "sources": [object], "speech": { "language": "en" }, "id": "many" });
        for (path, body) in [("/v1/jobs", linked), ("/v1/batches", batch)] {
            let answer = self.send(ACME, &self.ingestion, Method::POST, path, &[], Some(&body)).await;
            assert_eq!(answer.status, 202, "{answer:?}");
            if let Some(job) = answer.json()["jobs"][0]["id"].as_str() {
                job.clone_into(&mut self.batch_child);
            }
        }
        self.await_end("acme:talk");
        let asked = json!({ "task": "chapters" });
        let answer = self.send(ACME, &self.status, Method::POST, "/v1/jobs/talk/llm", &[], Some(&asked)).await;
        assert_eq!((answer.status, &answer.json()["id"]), (202, &json!("talk.llm.chapters")), "{answer:?}");
        self.service.stack.text(["cancel", "acme:linked"]);
        let ids = ["talk.llm.chapters", "linked", "many", &self.keyed].map(|name| format!("acme:{name}"));
        ids.iter().for_each(|id| self.await_end(id));
        self.await_end("globex:mine");
        let deliveries = self.service.stack.folder().join("store/jobs/acme:talk/deliveries");
        wait_until("the webhook's delivery is in the log", || deliveries.exists());
        wait_until("all jobs are listed", || {
            self.service.stack.json(["list", "--json"]).as_array().unwrap().len() == 7
        });
    }

    fn await_end(&self, id: &str) {
        self.service.stack.wait_for(id, &format!("{id} has ended"), |job| job["status"] != "running");
    }

    async fn upload(&self, key: &str, headers: &[(&str, &str)], fields: &[(&str, &str)], file: &[u8]) -> Value {
        let mut form = Vec::new();
        let parts = fields.iter().map(|(name, value)| (format!("name=\"{name}\""), value.as_bytes()));
        for (name, value) in parts.chain([("name=\"file\"; filename=\"a.wav\"".to_owned(), file)]) {
            form.extend(format!("--{BOUNDARY}\r\nContent-Disposition: form-data; {name}\r\n\r\n").into_bytes());
            form.extend([value, b"\r\n"].concat());
        }
        form.extend(format!("--{BOUNDARY}--\r\n").into_bytes());
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        let mut request = self.client.post(format!("{}/v1/jobs", self.ingestion)).header("x-api-key", key).body(form);
        for (name, value) in headers.iter().chain(&[("content-type", kind.as_str())]) {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 202);
        answer.json().await.unwrap()
    }

    pub(super) async fn get(&self, key: &str, path: &str) -> Answer {
        self.send(key, &self.status, Method::GET, path, &[], None).await
    }

    pub(super) async fn send(
        &self,
        key: &str,
        service: &str,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Answer {
        let mut request = self.client.request(method, format!("{service}{path}")).header("x-api-key", key);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, text: String::from_utf8_lossy(&response.bytes().await.unwrap()).into_owned() }
    }

    /// What the key's list has.
    pub(super) async fn list(&self, key: &str) -> Vec<String> {
        let page = self.get(key, "/v1/jobs?limit=200").await.json();
        let jobs = page["jobs"].as_array().unwrap_or_else(|| panic!("{page}"));
        jobs.iter().map(|job| job["id"].as_str().unwrap().to_owned()).collect()
    }

    /// The place after the first job of the key's list.
    pub(super) async fn cursor(&self, key: &str) -> String {
        self.get(key, "/v1/jobs?limit=1").await.json()["next_cursor"].as_str().unwrap().to_owned()
    }

    /// The message that acme's webhook got.
    pub(super) fn message(&self) -> Message {
        self.messages.lock().unwrap().recv().unwrap()
    }
}

/// Takes one message.
fn receiver() -> (String, Receiver<Message>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (sender, messages) = mpsc::channel();
    std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        sender.send(read(&stream)).unwrap();
        write!(&stream, "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").unwrap();
    });
    (address, messages)
}

fn read(stream: &TcpStream) -> Message {
    let mut lines = BufReader::new(stream);
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        match line.trim().split_once(": ") {
            Some((name, value)) => headers.push((name.to_lowercase(), value.to_owned())),
            None if line.trim().is_empty() => break,
            None => {}
        }
    }
    let header = |name: &str| headers.iter().find(|(known, _)| known == name).unwrap().1.clone();
    let mut body = vec![0; header("content-length").parse().unwrap()];
    lines.read_exact(&mut body).unwrap();
    Message {
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp").parse().unwrap(),
        signature: header("webhook-signature"),
        body: String::from_utf8(body).unwrap(),
    }
}
