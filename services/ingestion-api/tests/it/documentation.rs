//! The OpenAPI document, its page, and what is counted.

use reqwest::Method;
use serde_json::Value;

use crate::service::Service;

#[tokio::test]
async fn the_document_tells_every_route_and_what_it_refers_to() {
    let service = Service::alone(&[]);
    let document = service.get("/openapi.json").await.json();
    assert_eq!(document["openapi"], "3.1.0");
    for (path, methods) in [
        ("/v1/jobs", vec!["post"]),
        ("/v1/jobs/{id}", vec!["delete"]),
        ("/v1/batches", vec!["post"]),
        ("/v1/models", vec!["get"]),
        ("/v1/models/{model}", vec!["get"]),
        ("/v1/audio/transcriptions", vec!["post"]),
        ("/v1/audio/translations", vec!["post"]),
        ("/health", vec!["get"]),
        ("/live", vec!["get"]),
        ("/ready", vec!["get"]),
        ("/metrics", vec!["get"]),
    ] {
        let operations = document["paths"][path].as_object().unwrap_or_else(|| panic!("{path} is missing"));
        assert_eq!(operations.keys().collect::<Vec<_>>(), methods, "{path}");
        for operation in operations.values() {
            let error = &operation["responses"]["default"]["content"]["application/json"]["schema"]["$ref"];
            assert_eq!(error, "#/components/schemas/ErrorBody", "{path}");
        }
    }
    let mut references = Vec::new();
    collect_references(&document, &mut references);
    assert!(references.len() > 20);
    for reference in references {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference} leads nowhere");
    }
}

fn collect_references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|value| collect_references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| collect_references(value, found)),
        _ => {}
    }
}

#[tokio::test]
async fn the_page_comes_out_of_the_program_and_lets_nothing_foreign_in() {
    let service = Service::alone(&[]);
    let page = service.get("/docs").await;
    assert_eq!(page.status, 200, "it leads on to /docs/");
    assert!(page.text.contains("swagger-ui"), "{page:?}");
    for (file, kind) in [
        ("swagger-ui.css", "text/css"),
        ("swagger-ui-bundle.js", "javascript"),
        ("swagger-initializer.js", "javascript"),
    ] {
        let file = service.get(&format!("/docs/{file}")).await;
        assert_eq!(file.status, 200);
        assert!(file.header("content-type").contains(kind), "{:?}", file.headers);
    }
    for (header, message) in [
        ("content-security-policy", "default-src 'self'"),
        ("content-security-policy", "frame-ancestors 'none'"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
    ] {
        assert!(page.header(header).contains(message), "{header}: {:?}", page.headers);
    }
    assert!(!page.text.contains("https://"), "nothing is loaded from elsewhere: {}", page.text);
}

#[tokio::test]
async fn requests_are_counted_by_route_and_have_an_id() {
    let service = Service::alone(&[]);
    for (sent, kept) in [("order-17", true), ("no log can hold this", false)] {
        let answer = service.send(Method::GET, "/v1/models/tiny", &[("x-request-id", sent)], Vec::new()).await;
        assert_eq!(answer.header("x-request-id") == sent, kept, "{answer:?}");
        assert!(!answer.header("x-request-id").is_empty());
    }
    service.get("/v1/models/made-up").await;
    service.get("/made-up").await;
    service.send(Method::from_bytes(b"MADEUP").unwrap(), "/v1/jobs", &[], Vec::new()).await;
    let page = service.get("/metrics").await;
    assert!(page.header("content-type").starts_with("text/plain"), "{:?}", page.headers);
    for line in [
        r#"longhand_http_requests_total{method="GET",route="/v1/models/{model}",status="200"} 2"#,
        r#"longhand_http_requests_total{method="GET",route="/v1/models/{model}",status="404"} 1"#,
        r#"longhand_http_requests_total{method="GET",route="none",status="404"} 1"#,
        r#"longhand_http_requests_total{method="other",route="/v1/jobs",status="405"} 1"#,
        r#"longhand_http_request_seconds_count{method="GET",route="/v1/models/{model}"} 3"#,
        "longhand_http_requests_in_flight 1",
    ] {
        assert!(page.text.contains(line), "{line} in {}", page.text);
    }
    assert!(!page.text.to_lowercase().contains("made-up") && !page.text.contains("MADEUP"), "{}", page.text);
    assert!(service.log().contains("order-17"), "{}", service.log());
}
