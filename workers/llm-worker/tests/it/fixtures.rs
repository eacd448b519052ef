//! Transcripts and settings that several tests share.

use std::path::PathBuf;

use engine::{
    config::{CacheSettings, LlmProvider, LlmSettings, StoreSettings},
    error::StageError,
    llm::{LlmAnswer, LlmTask, Question},
    secret::Secret,
    store::Store,
    transcript::{Segment, Transcript},
};
use llm_worker::{Model, Notes, answer};
use serde_json::Value;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

pub(crate) const KEY: &str = "test-key-5b1f0c9e";

/// A meeting of four minutes and a half, about 560 words.
pub(crate) fn meeting() -> Transcript {
    let lines = include_str!("meeting.txt").lines().map(|line| {
        let mut fields = line.splitn(3, ' ');
        let mut field = || fields.next().unwrap();
        segment(field().parse().unwrap(), field().parse().unwrap(), field())
    });
    transcript(286.5, lines.collect())
}

/// As many numbered sentences as asked for, ten seconds each.
pub(crate) fn lecture(sentences: u32) -> Transcript {
    let segments = (0..sentences).map(|number| {
        let start = f64::from(number) * 10.0;
        let text = format!("Sentence {number} of the lecture says that rivers carry sand and silt down to the sea.");
        segment(start, start + 9.0, &text)
    });
    transcript(f64::from(sentences) * 10.0, segments.collect())
}

pub(crate) fn silence() -> Transcript {
    transcript(30.0, vec![segment(0.0, 30.0, " ")])
}

fn transcript(duration_s: f64, segments: Vec<Segment>) -> Transcript {
    let texts: Vec<_> = segments.iter().map(|segment| segment.text.as_str()).collect();
    Transcript { text: texts.join(" "), language: "en".to_owned(), duration_s, run_id: "run-1".to_owned(), segments }
}

fn segment(start: f64, end: f64, text: &str) -> Segment {
    Segment {
        id: 0,
        start,
        end,
        text: text.to_owned(),
        tokens: Vec::new(),
        temperature: 0.0,
        avg_logprob: -0.2,
        compression_ratio: 1.2,
        no_speech_prob: 0.0,
        words: Vec::new(),
        flags: Vec::new(),
    }
}

pub(crate) fn endpoint_settings(base_url: &str) -> LlmSettings {
    LlmSettings {
        provider: LlmProvider::Openai,
        model: Some("test-model".to_owned()),
        server: None,
        base_url: base_url.to_owned(),
        api_key: Some(Secret::new(KEY.to_owned())),
        openai_api_key: None,
        timeout_seconds: 30,
        patience_seconds: 600,
        context_tokens: None,
        prompt_price: None,
        completion_price: None,
        slots: 1,
        threads: None,
    }
}

pub(crate) fn no_cache() -> CacheSettings {
    CacheSettings { folder: Some(PathBuf::from("no-such-folder")), hub: String::new(), stall_seconds: 1 }
}

/// A store for notes, gone when dropped.
pub(crate) struct Desk {
    folder: TempDir,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    pub(crate) fn store(&self) -> Store {
        Store::open(&StoreSettings { url: Some(self.folder.path().display().to_string()) }).unwrap()
    }

    pub(crate) fn notes(&self, task: &LlmTask) -> Notes {
        Notes::new(self.store(), "job-1".to_owned(), task.name())
    }
}

pub(crate) fn question(text: &str, schema: Option<Value>) -> LlmTask {
    LlmTask::Ask(Question { text: text.to_owned(), schema })
}

pub(crate) async fn run(
    settings: &LlmSettings,
    transcript: &Transcript,
    task: &LlmTask,
) -> Result<LlmAnswer, StageError> {
    let model = Model::open(settings, &no_cache()).await?;
    answer(&model, transcript, task, &Desk::new().notes(task), &CancellationToken::new(), |_| ()).await
}
