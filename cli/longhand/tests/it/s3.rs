//! The store on S3: a real server of its protocol, in this process, on a free port.

use std::sync::{Arc, Mutex};

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

use engine::hash::hexadecimal;
use sha2::{Digest, Sha256};
use test_stack::{Stack, audio, sample};

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
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        runtime.spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
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
        Self { settings, writes, _runtime: runtime, _folder: folder }
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
