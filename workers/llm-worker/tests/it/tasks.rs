//! Every task against an endpoint that does what it should.

use engine::llm::LlmTask;
use serde_json::{Value, json};

use crate::{
    endpoint::{Endpoint, Play},
    fixtures::{KEY, endpoint_settings, meeting, question, run, silence},
};

#[tokio::test]
async fn each_task_gives_the_documented_shape() {
    let schema = json!({ "type": "object", "properties": { "votes": { "type": "integer" } }, "required": ["votes"] });
    for (task, answers, output, with_schema) in [
        (LlmTask::Summary, vec!["They met."], json!("They met."), false),
        (LlmTask::Summary, vec!["<think>\nHm.\n</think>\n They met. "], json!("They met."), false),
        (
            LlmTask::Chapters,
            vec!["Opening hours", "\"The roof.\"", "Title: **Summer programme**"],
            json!([
                { "title": "Opening hours", "start": 0.0, "end": 97.5 },
                { "title": "The roof", "start": 97.5, "end": 195.6 },
                { "title": "Summer programme", "start": 195.6, "end": 286.5 },
            ]),
            false,
        ),
        (
            LlmTask::Actions,
            vec![r#"{"actions": ["Write to the college.", "write to the college.", " ", "Order medals."]}"#],
            json!(["Write to the college.", "Order medals."]),
            true,
        ),
        (LlmTask::Actions, vec![r#"{"actions": []}"#], json!([]), true),
        (question("Who is on the train?", None), vec!["Priya."], json!("Priya."), false),
        (question("How many votes?", Some(schema)), vec!["```json\n{\"votes\": 3}\n```"], json!({ "votes": 3 }), true),
    ] {
        check(&task, &answers, output, with_schema).await;
    }
}

async fn check(task: &LlmTask, answers: &[&str], output: Value, with_schema: bool) {
    let script = answers.iter().map(|&answer| Play::Answer(answer.to_owned())).collect();
    let endpoint = Endpoint::playing(script).await;
    let answer = run(&endpoint_settings(&endpoint.base_url), &meeting(), task).await.unwrap();
    assert_eq!(answer.output, output, "{task:?}");
    let calls = answers.len() as u64;
    let usage = &answer.usage;
    assert_eq!((usage.provider.as_str(), usage.model.as_str()), ("openai", "test-model"));
    assert_eq!((usage.calls.into(), usage.prompt_tokens, usage.completion_tokens), (calls, calls * 100, calls * 10));
    for request in endpoint.requests() {
        assert_eq!(request.authorization, format!("Bearer {KEY}"));
        let mut sent: Vec<_> = request.body.as_object().unwrap().keys().map(String::as_str).collect();
        sent.retain(|&field| field != "response_format");
        assert_eq!(sent, ["messages", "model"], "fields that not every server takes");
        assert_eq!(request.body["model"], "test-model");
        assert_eq!(request.body["response_format"]["type"] == "json_schema", with_schema, "{task:?}");
    }
}

#[tokio::test]
async fn a_recording_without_speech_is_answered_without_the_model() {
    let schema = json!({ "type": "object" });
    for (task, output) in [
        (LlmTask::Summary, json!("")),
        (LlmTask::Chapters, json!([])),
        (LlmTask::Actions, json!([])),
        (question("Who speaks?", None), json!("")),
        (question("Who speaks?", Some(schema)), Value::Null),
    ] {
        let endpoint = Endpoint::playing(Vec::new()).await;
        let answer = run(&endpoint_settings(&endpoint.base_url), &silence(), &task).await.unwrap();
        assert_eq!((answer.output, answer.usage.calls), (output, 0), "{task:?}");
        assert_eq!(endpoint.requests().len(), 0);
    }
}
