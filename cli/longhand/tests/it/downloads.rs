//! Models that come slowly, or not at all: whoever waits for them can be stopped, and nobody else waits.

use std::{fs, path::PathBuf, sync::LazyLock};

use serde_json::{Value, json};
use tempfile::TempDir;
use test_stack::{
    Stack, TRANSCRIPTION,
    hub::{TricklingHub, cache_with_base, put_into_cache},
    sample, wait_until,
};

/// More than a worker of one core takes at once, of first units and what goes before.
const MORE_THAN_SLOTS: usize = 20;

static HUB: LazyLock<TricklingHub> = LazyLock::new(TricklingHub::start);

/// A stack whose workers have Whisper base alone.
struct Slow {
    stack: Stack,
    cache: TempDir,
    base: PathBuf,
}

impl Slow {
    fn start(hub: &str, settings: &[(&str, &str)]) -> Self {
        let cache = TempDir::new().unwrap();
        let base = cache_with_base(cache.path());
        let own = [
            ("LONGHAND_CACHE", cache.path().to_str().unwrap()),
            ("LONGHAND_MODEL_HUB", hub),
            ("LONGHAND_RECOGNISER", "whisper"),
            ("LONGHAND_TRANSCRIBE_CORES", "1"),
        ];
        Self { stack: Stack::start_with(&[&own[..], settings].concat()), cache, base }
    }

    fn submit(&self, id: &str, model: &str) {
        self.stack.text(["transcribe", &sample(), "--model", model, "--id", id, "--detach"]);
    }

    fn wait_for_download(&self, id: &str) {
        self.stack.wait_for(id, "the download is told", |state| is_on_its_way(&state["download"]));
    }

    /// What a fetch left, and the next one goes on from.
    fn part(&self) -> u64 {
        let parts = fs::read_dir(self.cache.path().join("partial/ggml-tiny.bin")).unwrap();
        parts.map(|part| part.unwrap().metadata().unwrap().len()).max().unwrap()
    }
}

fn is_on_its_way(download: &Value) -> bool {
    download["model"] == "tiny"
        && download["bytes_total"] == json!(TricklingHub::FILE_BYTES)
        && download["bytes_done"].as_u64().is_some_and(|bytes| bytes >= 26_000_000)
}

fn has_ended(stack: &Stack, id: &str, status: &str) {
    stack.wait_for(id, &format!("{id} is {status}"), |state| state["status"] == status);
}

#[test]
fn a_model_that_trickles_keeps_nobody_else_waiting_and_those_who_wait_can_be_stopped() {
    let mut slow = Slow::start(&HUB.url(), &[("LONGHAND_DOWNLOAD_STALL_SECONDS", "3600")]);
    let waiting: Vec<String> = (0..MORE_THAN_SLOTS).map(|number| format!("waiting-{number}")).collect();
    for id in &waiting {
        slow.submit(id, "tiny");
    }
    for id in &waiting {
        slow.wait_for_download(id);
    }
    let shown = slow.stack.text(["show", &waiting[0]]);
    assert!(shown.contains("downloading model tiny, 33 %"), "{shown}");
    let text = slow.stack.text(["transcribe", &sample(), "--model", "base"]);
    assert!(text.contains("country"), "{text}");

    slow.stack.text(["cancel", &waiting[0]]);
    has_ended(&slow.stack, &waiting[0], "cancelled");
    slow.stack.stop(TRANSCRIPTION);
    let part = slow.part();
    assert!(part >= 26_000_000, "{part} bytes were kept");

    slow.stack.start_worker(TRANSCRIPTION);
    slow.wait_for_download(&waiting[1]);
    for id in &waiting[1..] {
        slow.stack.text(["cancel", id]);
        has_ended(&slow.stack, id, "cancelled");
    }
    assert!(slow.part() >= part, "begun anew");
    assert!(slow.stack.all_alive());
}

#[test]
fn a_download_that_stalls_and_a_hub_that_is_away_are_outlasted() {
    for (hub, says) in [(HUB.url(), "it has stalled"), ("http://127.0.0.1:9".to_owned(), "Connection refused")] {
        let slow = Slow::start(&hub, &[("LONGHAND_DOWNLOAD_STALL_SECONDS", "1")]);
        slow.submit("outlasting", "tiny");
        slow.stack.wait_for("outlasting", "it is tried again", |state| {
            let retry = &state["retries"][0];
            let message = retry["message"].as_str().unwrap_or_default();
            let is_named = message.contains(says) && message.contains(&hub);
            retry["stage"] == "prepare" && retry["attempt"].as_u64().is_some_and(|attempt| attempt >= 3) && is_named
        });
        put_into_cache(slow.cache.path(), "tiny", &slow.base);
        wait_until("the job has completed", || {
            let state = slow.stack.json(["show", "outlasting", "--json"]);
            assert_ne!(state["status"], "failed", "{state}");
            state["status"] == "completed"
        });
    }
}
