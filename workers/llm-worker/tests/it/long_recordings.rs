//! Recordings that are longer than the model's window.

use std::{ops::RangeInclusive, sync::Mutex};

use engine::{config::LlmSettings, llm::LlmTask};
use llm_worker::{Model, Progress, answer};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::{
    endpoint::{Endpoint, Play},
    fixtures::{Desk, endpoint_settings, lecture, no_cache, question},
};

/// 400 sentences take about 34 kB, so 11 thousand tokens as they are counted for endpoints.
const SENTENCES: u32 = 400;

#[tokio::test]
async fn every_sentence_is_read_and_no_request_exceeds_the_window() {
    let schema = json!({ "type": "string" });
    for (task, window, answer, calls) in [
        (LlmTask::Summary, 32_768, "All.", 1..=1),
        (LlmTask::Summary, 4096, "All.", 4..=6),
        (LlmTask::Summary, 1024, "All.", 18..=22),
        (LlmTask::Actions, 4096, r#"{"actions": []}"#, 4..=6),
        (question("What do rivers do?", None), 4096, "All.", 4..=6),
        (question("What do rivers do?", Some(schema)), 4096, "\"All.\"", 4..=6),
        (LlmTask::Chapters, 4096, "All.", 12..=12),
    ] {
        check(&task, window, answer, calls).await;
    }
}

async fn check(task: &LlmTask, window: u32, text: &'static str, calls: RangeInclusive<usize>) {
    let endpoint = Endpoint::answering(move |_, _| Play::Answer(text.to_owned())).await;
    let settings = LlmSettings { context_tokens: Some(window), ..endpoint_settings(&endpoint.base_url) };
    let model = Model::open(&settings, &no_cache()).await.unwrap();
    let reported = Mutex::new(Vec::new());
    let report = |progress: Progress| reported.lock().unwrap().push(progress);
    let desk = Desk::new();
    let answer =
        answer(&model, &lecture(SENTENCES), task, &desk.notes(task), &CancellationToken::new(), report).await.unwrap();
    let requests = endpoint.requests();
    assert_eq!(requests.len(), answer.usage.calls as usize);
    assert!(calls.contains(&requests.len()), "{} calls for {task:?} with {window}", requests.len());
    for request in &requests {
        // Four bytes to a token is what such text takes at the very most.
        assert!(request.prompt().len() / 4 < window as usize, "{} bytes for {window}", request.prompt().len());
    }
    for number in 0..SENTENCES {
        let sentence = format!("Sentence {number} of");
        let readers = requests.iter().filter(|request| request.prompt().contains(&sentence)).count();
        assert_eq!(readers, 1, "{task:?} with {window}: {sentence}");
    }
    let last = reported.into_inner().unwrap().pop().unwrap();
    assert_eq!((last.calls_done, last.calls_planned), (answer.usage.calls, answer.usage.calls));
    assert_eq!(last.prompt_tokens, answer.usage.prompt_tokens);
}

#[tokio::test]
async fn a_model_that_never_comes_to_the_point_is_cut_short() {
    let endpoint = Endpoint::answering(|_, _| Play::Answer("On and on it goes. ".repeat(500))).await;
    let settings = LlmSettings { context_tokens: Some(1024), ..endpoint_settings(&endpoint.base_url) };
    let model = Model::open(&settings, &no_cache()).await.unwrap();
    let desk = Desk::new();
    let (task, never) = (LlmTask::Summary, CancellationToken::new());
    answer(&model, &lecture(200), &task, &desk.notes(&task), &never, |_| ()).await.unwrap();
    let requests = endpoint.requests();
    assert!(requests.len() < 25, "{} calls", requests.len());
    assert!(requests.iter().all(|request| request.prompt().len() / 3 < 1024));
}
