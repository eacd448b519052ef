//! Requests out of a generator: what no table has thought of.

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    battery::{Subject, requests},
    server::{ACME, GLOBEX, Server},
};

/// Words of results: no request has them in it.
const OF_RESULTS: [&str; 2] = ["job_id", "audio_sha256"];

/// As many requests of globex, about things of acme's and about nothing.
pub(super) async fn check(server: &Server, count: usize) {
    let cursor = server.cursor(ACME).await;
    let names = names(server);
    let mut templates = Vec::new();
    for name in &names {
        templates.extend(requests(server, &Subject::id(name)).await);
    }
    let mut dice = Dice(17);
    for number in 0..count {
        let mut request = dice.of(&templates).clone();
        if dice.one_in(4) {
            request.method = dice.of(&[Method::GET, Method::POST, Method::DELETE, Method::PUT, Method::HEAD]).clone();
        }
        if dice.one_in(2) {
            let queries =
                [format!("?cursor={cursor}"), "?limit=0".to_owned(), "?kind=batch".to_owned(), "?%00".to_owned()];
            let query: &String = dice.of(&queries);
            request.path += query;
        }
        if dice.one_in(2) {
            request.body = Some(body(&mut dice, &names));
        }
        let headers = headers(&mut dice);
        let (service, method, body) = (&request.service, request.method.clone(), request.body.as_ref());
        let answer = server.send(GLOBEX, service, method, &request.path, &headers, body).await;
        let shown = format!("request {number}: {request:?} {headers:?}: {answer:?}");
        assert!(answer.status < 500, "{shown}");
        let is_document = request.path.starts_with("/v1/jobs/mine") || !request.path.starts_with("/v1");
        if !is_document {
            let mut of_acme = OF_RESULTS.into_iter().chain([server.recording.as_str()]);
            assert!(!of_acme.any(|word| answer.text.contains(word)), "{shown}");
            assert!(!answer.text.contains("\"talk\"") || answer.status >= 400, "{shown}");
        }
    }
}

/// As clients may spell what is theirs and what is not.
fn names(server: &Server) -> Vec<String> {
    let names = ["talk", "acme:talk", "globex:talk", "globex:mine", "*:talk", ":talk", "acme%3Atalk", "ACME:talk"];
    let odd = ["talk.webhook", "talk.llm.summary", "..", "%2e%2e", "a%00b", "%FF", "ü", "mine", "talk%2Fresult.json"];
    let own = [&server.batch, &server.batch_child, &server.keyed].map(|name| format!("acme:{name}"));
    names.iter().chain(&odd).map(|name| (*name).to_owned()).chain(own).chain(["x".repeat(300)]).collect()
}

/// No body that starts a job: a recording that globex has is in none.
fn body(dice: &mut Dice, names: &[String]) -> Value {
    let name = dice.of(names);
    let keys = ["jobs/acme:talk/result.json", "uploads/", "uploads/incoming/a", "", "/", "a/../b", "batches/acme:many"];
    let object = json!({ "object": dice.of(&keys) });
    dice.of(&[
        json!({ "source": object, "id": name }),
        json!({ "source": { "object": name } }),
        json!({ "sources": [object, object], "id": name }),
        json!({ "sources": [object], "concurrency": -1 }),
        json!({ "source": object, "speech": { "prompt": "\0" } }),
        json!({ "ask": name }),
        json!({ "task": name, "schema": {} }),
        json!([name]),
        json!(null),
        json!({ "source": [[[[object]]]] }),
    ])
    .clone()
}

fn headers(dice: &mut Dice) -> Vec<(&'static str, &'static str)> {
    let all = [
        ("idempotency-key", "order 17"),
        ("last-event-id", "0-7"),
        ("last-event-id", "x"),
        ("range", "bytes=0-10"),
        ("if-none-match", "*"),
        ("content-type", "multipart/form-data; boundary=x"),
        ("x-request-id", "acme"),
    ];
    if dice.one_in(2) { vec![*dice.of(&all)] } else { Vec::new() }
}

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> usize {
        // Knuth's generator, whose upper bits are the better ones.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap()
    }

    fn one_in(&mut self, sides: usize) -> bool {
        self.next().is_multiple_of(sides)
    }

    fn of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.next() % choices.len()]
    }
}
