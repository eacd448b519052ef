//! The bundled GGUF model itself, with llama.cpp's server.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use engine::{
    config::{self, CacheSettings, LlmProvider, LlmSettings},
    error::FailureKind,
    llm::LlmTask,
};
use llm_worker::{Model, answer};
use models::{Asset, Cache, catalogue};
use rustix::process::{Pid, Signal};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::fixtures::{Desk, endpoint_settings, lecture, meeting, no_cache, question, run};

fn bundled() -> PathBuf {
    fetched(&catalogue::llm())
}

fn fetched(asset: &Asset) -> PathBuf {
    let cache: CacheSettings = config::load().unwrap();
    let file = Cache::of(&cache).folder.join(&asset.file);
    assert!(file.is_file(), "{} is missing: run `cargo xtask test`, which fetches it", file.display());
    file
}

/// One thread, for tests run side by side and threads that wait for each other would spin.
fn local_settings(model: PathBuf) -> LlmSettings {
    LlmSettings {
        threads: Some(1),
        provider: LlmProvider::Local,
        model: Some(model.display().to_string()),
        server: Some(fetched(&catalogue::llama_server())),
        context_tokens: Some(2048),
        ..endpoint_settings("http://127.0.0.1:1/v1")
    }
}

#[tokio::test]
async fn a_summary_is_made_and_made_again_the_same() {
    let settings = local_settings(bundled());
    let model = Model::open(&settings, &no_cache()).await.unwrap();
    let mut summaries = Vec::new();
    for _ in 0..2 {
        let (desk, never) = (Desk::new(), CancellationToken::new());
        let notes = desk.notes(&LlmTask::Summary);
        summaries.push(answer(&model, &meeting(), &LlmTask::Summary, &notes, &never, |_| ()).await.unwrap());
    }
    let usage = &summaries[0].usage;
    assert_eq!((usage.provider.as_str(), usage.model.as_str()), ("local", "SmolLM2-135M-Instruct.Q4_1.gguf"));
    assert_eq!(usage.calls, 1);
    assert!(usage.prompt_tokens > 700 && usage.completion_tokens > 10, "{usage:?}");
    let text = summaries[0].output.as_str().unwrap();
    assert!(text.contains("library") || text.contains("roof") || text.contains("summer"), "{text}");
    assert!(text.ends_with(['.', '!', '?']), "{text}");
    assert_eq!(summaries[0], summaries[1]);
}

#[tokio::test]
async fn an_answer_keeps_to_its_schema() {
    let schema = json!({
        "type": "object",
        "properties": {
            "topic": { "type": "string", "maxLength": 60 },
            "mood": { "enum": ["calm", "angry"] },
            "speakers": { "type": "integer", "minimum": 1, "maximum": 20 },
        },
        "required": ["topic", "mood", "speakers"],
        "additionalProperties": false,
    });
    let task = question("What is the meeting about?", Some(schema.clone()));
    let answer = run(&local_settings(bundled()), &meeting(), &task).await.unwrap();
    assert!(jsonschema::is_valid(&schema, &answer.output), "{}", answer.output);
}

#[tokio::test]
async fn chapters_have_titles_and_actions_are_a_list() {
    let settings = local_settings(bundled());
    let chapters = run(&settings, &meeting(), &LlmTask::Chapters).await.unwrap().output;
    let starts: Vec<_> =
        chapters.as_array().unwrap().iter().map(|chapter| chapter["start"].as_f64().unwrap()).collect();
    assert_eq!(starts, [0.0, 97.5, 195.6]);
    for chapter in chapters.as_array().unwrap() {
        let title = chapter["title"].as_str().unwrap();
        assert!((1..=80).contains(&title.chars().count()), "{title:?}");
    }
    let actions = run(&settings, &meeting(), &LlmTask::Actions).await.unwrap().output;
    assert!(actions.as_array().unwrap().iter().all(Value::is_string), "{actions}");
}

#[tokio::test]
async fn a_small_window_is_enough_for_a_long_recording() {
    let settings = LlmSettings { context_tokens: Some(512), ..local_settings(bundled()) };
    let answer = run(&settings, &lecture(40), &LlmTask::Summary).await.unwrap();
    assert!(answer.usage.calls > 3, "{:?}", answer.usage);
    assert!(answer.usage.prompt_tokens + answer.usage.completion_tokens < 512 * u64::from(answer.usage.calls));
    assert_ne!(answer.output, "");
}

#[tokio::test]
async fn a_cancel_stops_the_work_inside_a_call() {
    let model = Model::open(&local_settings(bundled()), &no_cache()).await.unwrap();
    let cancelled = CancellationToken::new();
    // The call has begun when its plan is heard of, and takes seconds.
    let stop = cancelled.clone();
    let task = LlmTask::Summary;
    let (recording, never) = (meeting(), CancellationToken::new());
    let desk = Desk::new();
    let notes = desk.notes(&task);
    let first = answer(&model, &recording, &task, &notes, &cancelled, move |_| stop.cancel());
    assert_eq!(first.await.unwrap_err().kind, FailureKind::Cancelled);

    // Whoever asks and goes away leaves the slot free for others.
    let abandoned = answer(&model, &recording, &task, &notes, &never, |_| ());
    assert!(tokio::time::timeout(Duration::from_millis(300), abandoned).await.is_err());
    let next = question("Who is on the train?", None);
    assert!(answer(&model, &recording, &next, &notes, &never, |_| ()).await.is_ok());
}

#[tokio::test]
async fn a_file_that_is_no_model_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let whole = std::fs::read(bundled()).unwrap();
    for (path, problem) in [
        (folder.path().join("missing.gguf"), "cannot be read"),
        (folder.path().to_owned(), "cannot be read"),
        (file("empty.gguf", b""), "is not a GGUF file"),
        (file("text.gguf", b"a shopping list"), "is not a GGUF file"),
        (file("header.gguf", b"GGUF and nothing else"), "cannot be used"),
        (file("half.gguf", &whole[..whole.len() / 2]), "cannot be used"),
    ] {
        let error = Model::open(&local_settings(path.clone()), &no_cache()).await.err().unwrap();
        assert_eq!(error.kind, FailureKind::Setup, "{error}");
        for part in [problem, &path.display().to_string(), "LONGHAND_LLM_MODEL"] {
            assert!(error.message.contains(part), "{part:?} is missing in: {error}");
        }
    }
}

#[tokio::test]
async fn a_server_that_cannot_work_is_named() {
    for (program, problem) in [("/no/such/llama-server", "cannot be started"), ("/bin/false", "ended, exit status: 1")]
    {
        let settings = LlmSettings { server: Some(PathBuf::from(program)), ..local_settings(bundled()) };
        let error = Model::open(&settings, &no_cache()).await.err().unwrap();
        assert_eq!(error.kind, FailureKind::Setup, "{error}");
        for part in [problem, program, "LONGHAND_LLM_SERVER"] {
            assert!(error.message.contains(part), "{part:?} is missing in: {error}");
        }
    }
}

#[tokio::test]
async fn a_server_that_is_killed_is_started_again() {
    // A name of its own, by which its server is found among those of the other tests.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("killed.gguf");
    std::os::unix::fs::symlink(bundled(), &path).unwrap();
    let model = Model::open(&local_settings(path.clone()), &no_cache()).await.unwrap();
    let never = CancellationToken::new();
    let (recording, task) = (meeting(), question("Who is on the train?", None));
    let desk = Desk::new();
    let notes = desk.notes(&task);
    let before = answer(&model, &recording, &task, &notes, &never, |_| ()).await.unwrap();

    let server = process_with(&path);
    rustix::process::kill_process(server, Signal::KILL).unwrap();
    let answers = async {
        loop {
            match answer(&model, &recording, &task, &notes, &never, |_| ()).await {
                Ok(after) => break after,
                // As Temporal does with what another try may mend.
                Err(error) => assert!(error.is_retryable(), "{error}"),
            }
        }
    };
    assert_eq!(tokio::time::timeout(Duration::from_secs(120), answers).await.unwrap(), before);

    let second = process_with(&path);
    drop(model);
    let gone = async {
        while Path::new(&format!("/proc/{}/exe", second.as_raw_pid())).exists() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), gone).await.unwrap();
}

/// The process that has the path among its arguments.
fn process_with(path: &Path) -> Pid {
    let pids =
        std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    let has_path = |pid: &i32| {
        let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        arguments.split(|&byte| byte == 0).any(|argument| argument == path.as_os_str().as_encoded_bytes())
    };
    Pid::from_raw(pids.into_iter().find(has_path).unwrap()).unwrap()
}
