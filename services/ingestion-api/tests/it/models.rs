//! Which models a request may name is the operator's to say.

use serde_json::json;

use crate::service::Service;

#[tokio::test]
async fn only_what_is_offered_is_listed_and_taken() {
    let service = Service::alone(&[("LONGHAND_MODELS", "small,base.en")]);
    let listed = service.get("/v1/models").await.json();
    let names: Vec<_> = listed["data"].as_array().unwrap().iter().map(|model| model["id"].clone()).collect();
    assert_eq!(names, ["whisper-1", "small", "base.en"]);
    for (model, status) in [("whisper-1", 200), ("small", 200), ("large-v3", 400), ("gpt-9", 404)] {
        assert_eq!(service.get(&format!("/v1/models/{model}")).await.status, status, "{model}");
    }

    let request = json!({"source": {"url": "http://example.org/a.mp3"}, "speech": {"model": "large-v3"}});
    let refused = service.post_json("/v1/jobs", &request).await;
    assert_eq!(refused.status, 400, "{refused:?}");
    let error = &refused.json()["error"];
    assert_eq!(error["param"], "speech.model", "{refused:?}");
    assert_eq!(error["message"], "the model large-v3 is not offered here; name one of small, base.en");
}

#[test]
fn a_slip_in_the_list_is_named_at_start() {
    let refused = Service::refused(&[("LONGHAND_MODELS", "smal")]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("LONGHAND_MODELS names \"smal\""), "{said}");
}
