//! By which names the service may be called, and from which pages: with keys, without, and open to everybody.

use reqwest::Method;
use serde_json::json;
use tempfile::TempDir;
use test_stack::free_port;

use crate::{access::keys_file, service::Service};

const FOREIGN: (&str, &str) = ("host", "evil.com:8000");

#[tokio::test]
async fn what_is_foreign_is_refused_whoever_is_let_in() {
    let folder = TempDir::new().unwrap();
    let keys = keys_file(&folder);
    let named = ("LONGHAND_API_CORS_ORIGINS", "https://example.org");
    for access in [("LONGHAND_API_OPEN", "false"), ("LONGHAND_API_OPEN", "true"), ("LONGHAND_API_KEYS", &keys)] {
        let service = Service::alone(&[named, access]);
        let send = async |method: Method, path: &str, header: (&str, &str)| {
            service.send(method, path, &[("x-api-key", "anna's key"), header], Vec::new()).await
        };
        for (method, path) in [
            (Method::GET, "/v1/models"),
            (Method::POST, "/v1/jobs"),
            (Method::DELETE, "/v1/jobs/a"),
            (Method::OPTIONS, "/v1/jobs"),
            (Method::GET, "/docs/"),
            (Method::GET, "/metrics"),
        ] {
            for foreign in
                [FOREIGN, ("origin", "http://evil.com"), ("origin", "null"), ("origin", "http://127.0.0.1:3000")]
            {
                let refused = send(method.clone(), path, foreign).await;
                let kind = &refused.json()["error"]["type"];
                assert_eq!((refused.status, kind), (403, &json!("permission_error")), "{access:?} {foreign:?} {path}");
                assert_eq!(refused.header("access-control-allow-origin"), "", "{access:?} {foreign:?} {path}");
            }
        }
        for origin in ["http://127.0.0.1:8001", "http://localhost:8001", "https://example.org"] {
            let answer = send(Method::POST, "/v1/jobs", ("origin", origin)).await;
            assert_eq!((answer.status, answer.header("access-control-allow-origin")), (415, origin), "{access:?}");
        }
        for (path, status) in [("/live", 200), ("/ready", 503), ("/health", 503)] {
            assert_eq!(send(Method::GET, path, FOREIGN).await.status, status, "{path} is for probes");
        }
    }
}

#[tokio::test]
async fn the_service_is_known_by_its_public_names_and_those_that_are_set() {
    let service = Service::alone(&[
        ("LONGHAND_STATUS_URL", "https://status.example.org"),
        ("LONGHAND_INGESTION_URL", "https://ingest.example.org"),
        ("LONGHAND_API_HOSTS", "ingestion-api,ingestion-api.longhand.svc"),
    ]);
    for (host, status) in [
        ("ingest.example.org", 200),
        ("status.example.org", 200),
        ("ingestion-api:8000", 200),
        ("ingestion-api.longhand.svc", 200),
        ("localhost", 200),
        ("other.example.org", 403),
        ("longhand.svc", 403),
    ] {
        assert_eq!(
            service.send(Method::GET, "/v1/models", &[("host", host)], Vec::new()).await.status,
            status,
            "{host}"
        );
    }
    let page = [("host", "ingest.example.org"), ("origin", "https://status.example.org")];
    let asks = [("access-control-request-method", "POST"), ("access-control-request-headers", "x-api-key")];
    let preflight = service.send(Method::OPTIONS, "/v1/jobs", &[page, asks].concat(), Vec::new()).await;
    assert_eq!(preflight.header("access-control-allow-origin"), "https://status.example.org", "{preflight:?}");
    assert!(preflight.header("access-control-allow-headers").contains("x-api-key"), "{preflight:?}");
}

/// As the ingress of the Kubernetes example has it.
#[tokio::test]
async fn one_host_serves_both_services() {
    let service = Service::alone(&[
        ("LONGHAND_STATUS_URL", "https://longhand.example.org"),
        ("LONGHAND_INGESTION_URL", "https://longhand.example.org/ingest"),
    ]);
    let get = async |path: &str| service.send(Method::GET, path, &[("host", "longhand.example.org")], Vec::new()).await;
    for path in ["/ingest/v1/models", "/v1/models", "/ingest/docs/", "/ingest/live"] {
        assert_eq!(get(path).await.status, 200, "{path}");
    }
    assert_eq!(get("/ingestion/v1/models").await.status, 404);
    assert_eq!(get("/ingest/openapi.json").await.json()["servers"], json!([{ "url": "/ingest" }]));
    assert!(get("/ingest/docs/swagger-initializer.js").await.text.contains("../openapi.json"));
}

#[tokio::test]
async fn documentation_and_metrics_can_be_closed() {
    let service = Service::alone(&[("LONGHAND_API_DOCS", "false"), ("LONGHAND_API_METRICS", "false")]);
    for path in ["/docs", "/docs/", "/openapi.json", "/metrics"] {
        assert_eq!(service.get(path).await.status, 404, "{path}");
    }
    assert_eq!(service.get("/v1/models").await.status, 200);

    let address = format!("127.0.0.1:{}", free_port());
    let service = Service::alone(&[("LONGHAND_METRICS_ADDRESS", &address)]);
    assert_eq!(service.get("/metrics").await.status, 404, "they are elsewhere");
    assert_eq!(service.get("/live").await.status, 200);
    let metrics = reqwest::Client::builder().no_proxy().build().unwrap();
    let metrics = metrics.get(format!("http://{address}/metrics")).send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("longhand_http_requests_total{"), "{metrics}");
}

#[test]
fn a_name_that_is_none_is_refused() {
    let refused = Service::refused(&[("LONGHAND_API_HOSTS", "https://example.org")]);
    let error = String::from_utf8(refused.stderr).unwrap();
    assert!(error.contains("LONGHAND_API_HOSTS names \"https://example.org\", which is no host"), "{error}");
}
