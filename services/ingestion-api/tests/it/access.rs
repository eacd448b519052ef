//! Who is let in, how often, and what a service says that cannot start.

use std::fs;

use engine::hash::hexadecimal;
use reqwest::Method;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::service::Service;

/// A file with the keys `anna's key` and `bert's key`.
pub(crate) fn keys_file(folder: &TempDir) -> String {
    let hash = |key: &str| hexadecimal(&Sha256::digest(key));
    let file = folder.path().join("keys");
    let lines = format!("# who may\nanna {}\nbert {}\n", hash("anna's key"), hash("bert's key"));
    fs::write(&file, lines).unwrap();
    file.display().to_string()
}

#[tokio::test]
async fn only_known_keys_are_let_in_and_none_is_logged() {
    let folder = TempDir::new().unwrap();
    let service = Service::alone(&[("LONGHAND_API_KEYS", &keys_file(&folder)), ("LONGHAND_LOG", "debug")]);
    let models = async |headers: &[(&str, &str)]| {
        service.send(Method::GET, "/v1/models?token=in-the-query", headers, Vec::new()).await
    };
    for headers in [
        vec![],
        vec![("authorization", "Bearer wrong")],
        vec![("authorization", "Basic anna's key")],
        vec![("authorization", "anna's key")],
        vec![("x-api-key", "")],
        vec![("x-api-key", "ANNA'S KEY")],
    ] {
        let answer = models(&headers).await;
        assert_eq!(answer.status, 401, "{headers:?}");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        assert_eq!(answer.json()["error"]["code"], "invalid_api_key");
    }
    for headers in [[("authorization", "Bearer anna's key")], [("x-api-key", "bert's key")]] {
        assert_eq!(models(&headers).await.status, 200, "{headers:?}");
    }
    for path in ["/live", "/docs/", "/openapi.json", "/metrics"] {
        assert_eq!(service.get(path).await.status, 200, "{path} needs no key");
    }
    let log = service.log();
    assert!(log.contains("client=\"anna\"") && log.contains("client=\"bert\""), "{log}");
    for secret in ["anna's key", "bert's key", "in-the-query"] {
        assert!(!log.contains(secret), "{secret} is in the log: {log}");
    }
}

#[tokio::test]
async fn each_key_has_its_own_allowance() {
    let folder = TempDir::new().unwrap();
    let keys = keys_file(&folder);
    // Without Redis, and with one that is away.
    for redis in [None, Some(("LONGHAND_REDIS_URL", "redis://127.0.0.1:1"))] {
        let limits = [("LONGHAND_API_KEYS", keys.as_str()), ("LONGHAND_API_REQUESTS_PER_MINUTE", "3")];
        let settings: Vec<_> = limits.into_iter().chain(redis).collect();
        let service = Service::alone(&settings);
        let models = async |key: &str| service.send(Method::GET, "/v1/models", &[("x-api-key", key)], Vec::new()).await;
        for _ in 0..3 {
            assert_eq!(models("anna's key").await.status, 200);
        }
        let refused = models("anna's key").await;
        assert_eq!(refused.status, 429, "{refused:?}");
        assert_eq!(refused.json()["error"]["code"], "rate_limit_exceeded");
        assert!((1..=20).contains(&refused.header("retry-after").parse::<u32>().unwrap()), "{refused:?}");
        assert_eq!(models("bert's key").await.status, 200, "another key has another allowance");
        assert_eq!(service.get("/live").await.status, 200, "health is never limited");
    }
}

#[tokio::test]
async fn each_key_has_so_many_jobs_a_day() {
    let folder = TempDir::new().unwrap();
    let keys = keys_file(&folder);
    for redis in [None, Some(("LONGHAND_REDIS_URL", "redis://127.0.0.1:1"))] {
        let limits = [("LONGHAND_API_KEYS", keys.as_str()), ("LONGHAND_API_JOBS_PER_DAY", "2")];
        let settings: Vec<_> = limits.into_iter().chain(redis).collect();
        let service = Service::alone(&settings);
        let job = br#"{"source": {"url": "ftp://nowhere/"}}"#;
        let start = async |key: &str| {
            let headers = [("x-api-key", key), ("content-type", "application/json")];
            service.send(Method::POST, "/v1/jobs", &headers, job.to_vec()).await
        };
        for _ in 0..2 {
            assert_eq!(start("anna's key").await.status, 400, "a job that is wrong is asked for, too");
        }
        let refused = start("anna's key").await;
        assert_eq!(refused.status, 429, "{refused:?}");
        assert_eq!(refused.json()["error"]["code"], "insufficient_quota");
        let half_a_day = 12 * 3600;
        let wait = refused.header("retry-after").parse::<u32>().unwrap();
        assert!((half_a_day - 60..=half_a_day).contains(&wait), "{refused:?}");
        assert_eq!(start("bert's key").await.status, 400, "another key has another allowance");
        let models = service.send(Method::GET, "/v1/models", &[("x-api-key", "anna's key")], Vec::new()).await;
        assert_eq!(models.status, 200, "only jobs are counted");
    }
}

#[test]
fn a_service_that_cannot_start_says_why() {
    let folder = TempDir::new().unwrap();
    let file = |name: &str, text: &str| {
        fs::write(folder.path().join(name), text).unwrap();
        folder.path().join(name).display().to_string()
    };
    let (empty, torn) = (file("empty", "# nobody\n"), file("torn", "anna 123\n"));
    let running = Service::alone(&[]);
    let here = ("LONGHAND_INGESTION_API_ADDRESS", "127.0.0.1:0");
    for (settings, message) in [
        (
            [here, ("LONGHAND_INGESTION_API_ADDRESS", "0.0.0.0:0")],
            "name a file of API keys with LONGHAND_API_KEYS, or set LONGHAND_API_OPEN=true",
        ),
        (
            [here, ("LONGHAND_INGESTION_API_ADDRESS", running.address.as_str())],
            "is taken: stop what listens there, or give ingestion-api another address with LONGHAND_INGESTION_API_ADDRESS",
        ),
        ([here, ("LONGHAND_API_KEYS", "/nowhere/keys")], "/nowhere/keys cannot be read"),
        ([here, ("LONGHAND_API_KEYS", &empty)], "has no API keys; add a line `NAME SHA256`"),
        ([here, ("LONGHAND_API_KEYS", &torn)], "line 1 of the API keys in"),
        ([here, ("LONGHAND_REDIS_URL", "http://user:password@redis")], "LONGHAND_REDIS_URL cannot be used"),
        ([here, ("LONGHAND_API_REQUESTS_PER_MINUTE", "0")], "LONGHAND_API_REQUESTS_PER_MINUTE"),
        ([here, ("LONGHAND_API_JOBS_PER_DAY", "0")], "LONGHAND_API_JOBS_PER_DAY"),
    ] {
        let output = Service::refused(&settings);
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && error.contains(message), "{message} in {error}");
        assert!(!error.contains("password"), "{error}");
    }
}
