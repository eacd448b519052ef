//! Answers that miss their schema, and endpoints that know no response format.

use engine::{error::FailureKind, llm::LlmTask};
use serde_json::{Value, json};

use crate::{
    endpoint::{Endpoint, Play},
    fixtures::{endpoint_settings, meeting, question, run},
};

fn votes() -> LlmTask {
    let schema = json!({
        "type": "object",
        "properties": { "votes": { "type": "integer", "minimum": 1 } },
        "required": ["votes"],
    });
    question("How many votes?", Some(schema))
}

#[tokio::test]
async fn an_answer_that_misses_the_schema_is_sent_back_once() {
    for (first, complaint) in [
        (Play::Answer(r#"{"votes": 0}"#.to_owned()), "0 is less than the minimum of 1 at /votes"),
        (Play::Answer(r#"{"vote": 3}"#.to_owned()), r#""votes" is a required property"#),
        (Play::Answer("Three, I think.".to_owned()), "not JSON"),
        (Play::Answer(String::new()), "not JSON"),
        (Play::Cut(r#"{"votes": 3"#.to_owned()), "broke off"),
    ] {
        let endpoint = Endpoint::playing(vec![first, Play::Answer(r#"{"votes": 3}"#.to_owned())]).await;
        let answer = run(&endpoint_settings(&endpoint.base_url), &meeting(), &votes()).await.unwrap();
        assert_eq!((answer.output, answer.usage.calls), (json!({ "votes": 3 }), 2));
        let requests = endpoint.requests();
        let (first, second) = (&requests[0].body["messages"], &requests[1].body["messages"]);
        assert_eq!(second[0], first[0], "the question is asked again");
        assert_eq!(second[1]["role"], "assistant");
        assert_ne!(second[1]["content"], "");
        assert!(requests[1].prompt().contains(complaint), "{complaint:?} is missing in: {}", requests[1].prompt());
    }
}

#[tokio::test]
async fn a_second_miss_is_final_and_quoted() {
    let endpoint = Endpoint::playing(vec![Play::Answer(r#"{"votes": "many"}"#.to_owned()); 2]).await;
    let error = run(&endpoint_settings(&endpoint.base_url), &meeting(), &votes()).await.unwrap_err();
    assert_eq!(error.kind, FailureKind::BadInput);
    assert_eq!(
        error.message,
        "the model test-model twice gave an answer that misses the schema: \"many\" is not of type \"integer\" at /votes; \
         simplify the schema, or use a more capable model"
    );
    assert_eq!(endpoint.requests().len(), 2);
}

#[tokio::test]
async fn an_endpoint_without_response_formats_is_asked_in_words() {
    for (status, message) in [(400, "response_format is not supported"), (422, "extra field"), (501, "not implemented")]
    {
        let endpoint = Endpoint::answering(move |_, body| match &body["response_format"] {
            Value::Null => Play::Answer(r#"{"votes": 3}"#.to_owned()),
            _ => Play::Status(status, "", message.to_owned()),
        })
        .await;
        let answer = run(&endpoint_settings(&endpoint.base_url), &meeting(), &votes()).await.unwrap();
        assert_eq!((answer.output, answer.usage.calls), (json!({ "votes": 3 }), 1));
        let requests = endpoint.requests();
        assert_eq!(requests.len(), 2);
        assert_eq!(requests[0].body["messages"], requests[1].body["messages"]);
        assert!(requests[1].prompt().contains("\"minimum\":1"), "the prompt holds the schema, too");
    }
}
