//! What jobs need is away for a while, and more are handed in meanwhile: each one that was accepted ends as it would have.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;
use test_stack::{
    JOB_STATUS_API, Stack,
    hub::{cache_with_base, put_into_cache},
    parameter,
    redis::Redis,
    sample,
};

use crate::{s3::S3, scripted::Scripted};

const SUMMARY: &str = "A president speaks.";

/// Jobs that are handed in while something is away.
const LOAD: u32 = 40;

/// After an outage, whatever waits tries again within as long as the outage was, and some.
const PATIENCE: Duration = Duration::from_secs(240);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Redis,
    Temporal,
    Store,
    Receiver,
    Hub,
    LanguageModel,
}

/// A stack whose parts can all be away.
struct Site {
    stack: Stack,
    store: S3,
    redis: Option<Redis>,
    receiver: Scripted,
    language_model: Scripted,
    cache: TempDir,
    base: PathBuf,
    /// What every job should say.
    text: String,
}

#[test]
fn accepted_jobs_outlast_whatever_is_away() {
    let mut site = Site::start();
    for part in [Part::Redis, Part::Temporal, Part::Store, Part::Receiver, Part::Hub, Part::LanguageModel] {
        site.outlast(part, Duration::from_secs(2), 2);
    }
}

/// CONTRIBUTING.md says how to run them.
macro_rules! long_outages {
    ($($name:ident: $part:ident),*) => {$(
        #[test]
        #[ignore = "it takes ten minutes and more"]
        fn $name() {
            let length = Duration::from_secs(parameter("OUTAGE_SECONDS", 600));
            Site::start().outlast(Part::$part, length, LOAD);
        }
    )*};
}

long_outages!(
    ten_minutes_without_redis: Redis,
    ten_minutes_without_temporal: Temporal,
    ten_minutes_without_the_store: Store,
    ten_minutes_without_the_receiver: Receiver,
    ten_minutes_without_the_hub: Hub,
    ten_minutes_without_the_language_model: LanguageModel
);

impl Site {
    fn start() -> Self {
        let (store, cache, redis) = (S3::start(), TempDir::new().unwrap(), Redis::start());
        let base = cache_with_base(cache.path());
        let receiver = Scripted::start("");
        let completion = json!({
            "choices": [{ "message": { "role": "assistant", "content": SUMMARY }, "finish_reason": "stop" }],
            "usage": { "prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110 },
        });
        let language_model = Scripted::start(&completion.to_string());
        let own = [
            ("LONGHAND_CACHE", cache.path().display().to_string()),
            ("LONGHAND_MODEL_HUB", "http://127.0.0.1:9".to_owned()),
            ("LONGHAND_RECOGNISER", "whisper".to_owned()),
            ("LONGHAND_LLM_PROVIDER", "openai".to_owned()),
            ("LONGHAND_LLM_MODEL", "scripted".to_owned()),
            ("LONGHAND_LLM_BASE_URL", format!("{}/v1", language_model.url())),
            ("LONGHAND_WEBHOOK_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned()),
            ("LONGHAND_ALLOW_PRIVATE_URLS", "true".to_owned()),
        ];
        let redis_url = redis.iter().map(|redis| ("LONGHAND_REDIS_URL", redis.url()));
        let settings: Vec<_> = own.into_iter().chain(store.settings.clone()).chain(redis_url).collect();
        let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let mut stack = Stack::start_with(&settings);
        stack.start_worker(JOB_STATUS_API);
        let mut site = Self { stack, store, redis, receiver, language_model, cache, base, text: String::new() };
        assert!(site.is_accepted("undisturbed", "base"));
        site.stack.text(["watch", "undisturbed"]);
        site.text = site.stack.json(["result", "undisturbed", "--json"])["text"].as_str().unwrap().to_owned();
        assert!(site.text.contains("country"), "{}", site.text);
        site
    }

    /// Hands jobs in before, while and after the part is away, and waits for their ends.
    fn outlast(&mut self, part: Part, length: Duration, load: u32) {
        let model = if part == Part::Hub { "tiny" } else { "base" };
        let id = |number: u32| format!("{part:?}-{number}").to_lowercase();
        let (before, after) = (id(load), id(load + 1));
        let mut accepted: Vec<String> = Vec::new();
        let mut hand_in = |site: &Self, id: String| {
            if site.is_accepted(&id, model) {
                accepted.push(id)
            }
        };
        hand_in(self, before);
        self.take_away(part);
        let began = Instant::now();
        for number in 0..load {
            hand_in(self, id(number));
            thread::sleep((length / load * (number + 1)).saturating_sub(began.elapsed()));
        }
        let away = began.elapsed();
        self.bring_back(part);
        hand_in(self, after);
        let back = Instant::now();
        for id in &accepted {
            self.await_end(id, back + away + PATIENCE);
        }
        eprintln!(
            "{part:?} was away for {} s: {} of {} jobs were accepted, and all have ended well {} s after",
            away.as_secs(),
            accepted.len(),
            load + 2,
            back.elapsed().as_secs()
        );
        self.follow(&accepted[0]);
    }

    fn is_accepted(&self, id: &str, model: &str) -> bool {
        let webhook = format!("{}/hook", self.receiver.url());
        let sample = sample();
        let job = ["transcribe", &sample, "--language", "en", "--model", model, "--id", id];
        self.stack
            .longhand(job.into_iter().chain(["--llm", "summary", "--webhook", &webhook, "--detach"]))
            .status
            .success()
    }

    fn take_away(&mut self, part: Part) {
        match part {
            Part::Redis => self.redis.iter_mut().for_each(Redis::kill),
            Part::Temporal => self.stack.kill_server(),
            Part::Store => self.store.stop(),
            Part::Receiver => self.receiver.stop(),
            Part::LanguageModel => self.language_model.stop(),
            // Nothing is there from the beginning.
            Part::Hub => {}
        }
    }

    fn bring_back(&mut self, part: Part) {
        match part {
            Part::Redis => self.redis.iter_mut().for_each(Redis::start_again),
            Part::Temporal => self.stack.start_server(),
            Part::Store => self.store.start_again(),
            Part::Receiver => self.receiver.start_again(),
            Part::LanguageModel => self.language_model.start_again(),
            Part::Hub => put_into_cache(self.cache.path(), "tiny", &self.base),
        }
    }

    /// Waits until the job is completed, and its end was told.
    fn await_end(&self, id: &str, until: Instant) {
        loop {
            let shown = self.stack.longhand(["show", id, "--json"]);
            let state: Value = serde_json::from_slice(&shown.stdout).unwrap_or_default();
            let status = state["status"].as_str().unwrap_or("unknown");
            assert!(matches!(status, "unknown" | "running" | "completed"), "{id}: {state}");
            if status == "completed" && self.receiver.was_sent(&[&format!("\"{id}\""), "\"completed\""]) {
                break;
            }
            assert!(Instant::now() < until, "{id} does not end, or does not tell: {state}");
            thread::sleep(Duration::from_millis(200));
        }
        let result = self.stack.json(["result", id, "--json"]);
        assert_eq!((&result["text"], &result["llm"]["summary"]), (&json!(self.text), &json!(SUMMARY)), "{id}");
    }

    /// Whoever looks at a job that has ended is told so.
    fn follow(&self, id: &str) {
        let url = self.stack.embedded().status_url();
        let address = url.trim_start_matches("http://");
        let mut follower = TcpStream::connect(address).unwrap();
        write!(follower, "GET /v1/jobs/{id}/events HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
        let mut lines = BufReader::new(&follower).lines().map_while(Result::ok);
        assert!(lines.any(|line| line == "event: done"), "{id}: its events end before it");
    }
}
