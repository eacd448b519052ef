//! The store on S3: a real server of its protocol, in this process, on a free port.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use s3s::{
    S3Result,
    access::{S3Access, S3AccessContext},
    auth::SimpleAuth,
    service::S3ServiceBuilder,
};
use tempfile::TempDir;
use tokio::{net::TcpListener, runtime::Runtime};
use tokio_util::io::InspectReader;

use engine::hash::hexadecimal;
use sha2::{Digest, Sha256};
use test_stack::{JOB_STATUS_API, Stack, TRANSCRIPTION, audio, sample};

const BUCKET: &str = "longhand";

/// What was written: the key, and whether it was to be written only where nothing is.
#[derive(Default, Clone)]
struct Writes(Arc<Mutex<Vec<(String, bool)>>>);

#[async_trait]
impl S3Access for Writes {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        if context.s3_op().name() == "PutObject" {
            let only_if_absent = context.headers().get("if-none-match").is_some_and(|condition| condition == "*");
            self.0.lock().unwrap().push((context.uri().path().to_owned(), only_if_absent));
        }
        Ok(())
    }
}

struct S3 {
    settings: [(&'static str, String); 6],
    writes: Writes,
    /// Listings that it was asked for, each of which is billed elsewhere.
    listings: Arc<AtomicU32>,
    address: SocketAddr,
    // Fields below are dropped after the settings that point at them.
    _runtime: Runtime,
    _folder: TempDir,
}

impl S3 {
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::create_dir(folder.path().join(BUCKET)).unwrap();
        let mut service = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder.path()).unwrap());
        service.set_auth(SimpleAuth::from_single("key", "secret"));
        let writes = Writes::default();
        service.set_access(writes.clone());
        let service = service.build();
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0))).unwrap();
        let address = listener.local_addr().unwrap();
        let endpoint = format!("http://{address}");
        let listings = Arc::new(AtomicU32::new(0));
        let listed = Arc::clone(&listings);
        runtime.spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let listed = Arc::clone(&listed);
                let socket = InspectReader::new(socket, move |received| {
                    if received.windows(11).any(|word| word == b"list-type=2") {
                        listed.fetch_add(1, Ordering::Relaxed);
                    }
                });
                let service = service.clone();
                tokio::spawn(async move {
                    // A client that goes away is its own business.
                    Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(socket), service).await.ok();
                });
            }
        });
        let settings = [
            ("LONGHAND_STORE", format!("s3://{BUCKET}/a/prefix")),
            ("AWS_ENDPOINT", endpoint),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "key".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
        ];
        Self { settings, writes, listings, address, _runtime: runtime, _folder: folder }
    }

    fn listings(&self) -> u32 {
        self.listings.load(Ordering::Relaxed)
    }
}

#[test]
fn a_job_runs_on_s3() {
    let s3 = S3::start();
    let settings = s3.settings.each_ref().map(|(name, value)| (*name, value.as_str()));
    let stack = Stack::start_with(&settings);
    let result = stack.json(["transcribe", &sample(), "--llm", "summary", "--json"]);
    assert_eq!(result["status"], "completed", "{result}");
    assert!(result["text"].as_str().unwrap().contains("country"));
    let again = stack.json(["transcribe", &sample(), "--json"]);
    assert_eq!(again["provenance"]["chunks_computed"], 0, "checkpoints are found again");

    let writes = s3.writes.0.lock().unwrap().clone();
    for once in ["/chunks/", "/plan.json"] {
        let conditions: Vec<_> = writes.iter().filter(|(key, _)| key.contains(once)).collect();
        assert!(!conditions.is_empty() && conditions.iter().all(|(_, only_if_absent)| *only_if_absent), "{writes:?}");
    }

    // More than two of S3's parts, in order and whole.
    let large = audio::faint(400);
    let result = stack.json(["transcribe", large.path().to_str().unwrap(), "--json"]);
    let sha256 = hexadecimal(&Sha256::digest(std::fs::read(large.path()).unwrap()));
    assert_eq!((&result["status"], &result["provenance"]["audio_sha256"]), (&"completed".into(), &sha256.into()));
}

#[test]
fn followers_list_the_store_only_when_there_is_news() {
    let s3 = S3::start();
    let settings = s3.settings.each_ref().map(|(name, value)| (*name, value.as_str()));
    let mut stack = Stack::start_with(&settings);
    stack.start_worker(JOB_STATUS_API);
    let recording = audio::repeated_sample(900);
    let recording = recording.path().to_str().unwrap();
    stack.text(["transcribe", recording, "--language", "en", "--id", "followed", "--detach"]);

    let url = stack.embedded().status_url();
    let address = url.trim_start_matches("http://");
    let mut follower = TcpStream::connect(address).unwrap();
    write!(follower, "GET /v1/jobs/followed/events HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
    let mut lines = BufReader::new(&follower).lines();
    lines.find(|line| line.as_ref().unwrap().starts_with("event: segments")).unwrap().unwrap();
    assert!(s3.listings() > 0);

    stack.kill(TRANSCRIPTION);
    let elapsed = |state: &serde_json::Value| state["elapsed_s"].as_f64().unwrap();
    let (listings, begin) = (s3.listings(), elapsed(&stack.json(["show", "followed", "--json"])));
    stack.wait_for("followed", "it is followed for a while", |state| elapsed(state) > begin + 8.0);
    let listings = s3.listings() - listings;
    assert!(listings <= 3, "{listings} listings while nothing was recognised");
}

#[test]
fn a_bucket_that_does_not_answer_is_said_to_be_away() {
    let s3 = S3::start();
    let settings = s3.settings.each_ref().map(|(name, value)| (*name, value.as_str()));
    let mut stack = Stack::server_with(&settings);
    stack.start_worker(JOB_STATUS_API);
    let address = s3.address;
    drop(s3);
    let url = stack.embedded().status_url();
    let service = url.trim_start_matches("http://");
    for hangs in [false, true] {
        // One that accepts connections, and nothing more.
        let _silent = hangs.then(|| std::net::TcpListener::bind(address).unwrap());
        let mut client = TcpStream::connect(service).unwrap();
        let head = "GET /v1/jobs/any/transcript.txt HTTP/1.1\r\nConnection: close\r\n";
        write!(client, "{head}Host: {service}\r\n\r\n").unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 503"), "hangs: {hangs}: {answer}");
        assert!(answer.contains("retry-after") && answer.contains("the store does not answer"), "{hangs}: {answer}");
    }
}
