//! Who is let in, how often, and what a service says that cannot start.

use std::{fs, process::Command};

use engine::hash::hexadecimal;
use reqwest::Method;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use test_stack::program;

use crate::service::{Service, until};

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
async fn keys_are_read_again_while_the_service_runs() {
    let folder = TempDir::new().unwrap();
    let file = keys_file(&folder);
    let service = Service::alone(&[("LONGHAND_API_KEYS", &file)]);
    let is_let_in = async |key: &str| {
        let answer = service.send(Method::GET, "/v1/models", &[("x-api-key", key)], Vec::new()).await;
        answer.status == 200
    };
    let keys = |arguments: &[&str]| {
        let output = Command::new(program("longhand")).arg("keys").args(arguments).args(["--file", &file]).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let carol = keys(&["add", "carol", "--tenant", "acme"]);
    keys(&["revoke", "anna"]);
    until("the new key is let in", async || is_let_in(&carol).await).await;
    assert!(!is_let_in("anna's key").await && is_let_in("bert's key").await);

    let good = fs::read_to_string(&file).unwrap();
    fs::write(&file, "carol").unwrap();
    until("the broken file is told of", async || service.log().contains("the API keys stay as they were")).await;
    assert!(is_let_in(&carol).await, "until it is put right, those that were there count");
    fs::write(&file, good.lines().filter(|line| !line.starts_with("bert")).collect::<Vec<_>>().join("\n")).unwrap();
    until("the key that was taken out is let in no more", async || !is_let_in("bert's key").await).await;
    assert!(is_let_in(&carol).await);
    keys(&["revoke", "carol"]);
    until("nobody is let in", async || !is_let_in(&carol).await).await;
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

#[test]
fn a_service_that_cannot_start_says_why() {
    let folder = TempDir::new().unwrap();
    let file = |name: &str, text: &str| {
        fs::write(folder.path().join(name), text).unwrap();
        folder.path().join(name).display().to_string()
    };
    let (empty, torn) = (file("empty", "# nobody\n"), file("torn", "anna 123\n"));
    let no_tenant = file("no tenant", &format!("Anna {}\n", "0".repeat(64)));
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
        ([here, ("LONGHAND_API_KEYS", &empty)], "has no API keys; add one with `longhand keys add NAME`"),
        ([here, ("LONGHAND_API_KEYS", &torn)], "line 1 of the API keys in"),
        ([here, ("LONGHAND_API_KEYS", &no_tenant)], "the name Anna is no tenant's name, so add one"),
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
