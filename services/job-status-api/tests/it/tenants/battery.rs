//! Every operation of both OpenAPI documents, about one job or one object.

use reqwest::Method;
use serde_json::{Value, json};

use super::server::{ADMIN, Answer, GLOBEX, Server};

/// What requests are about.
#[derive(Debug, Clone)]
pub(super) enum Subject {
    Id(String),
    Object(String),
}

/// One operation, ready to be sent.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) service: String,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) body: Option<Value>,
    /// Whether what it is about is in it.
    is_about_it: bool,
}

impl Subject {
    pub(super) fn id(id: &str) -> Self {
        Self::Id(id.to_owned())
    }

    pub(super) fn object(key: &str) -> Self {
        Self::Object(key.to_owned())
    }

    fn text(&self) -> &str {
        match self {
            Self::Id(text) | Self::Object(text) => text,
        }
    }
}

/// Globex asks for what is acme's and for what nobody has: it cannot tell one from the other.
pub(super) async fn check_foreign(server: &Server, foreign: &Subject, absent: &Subject) {
    let requests = requests(server, foreign).await.into_iter().zip(requests(server, absent).await);
    let mut asked = 0;
    for (of_foreign, of_absent) in requests.filter(|(request, _)| request.is_about_it) {
        let answer = of_foreign.send(server, GLOBEX).await;
        let expected = of_absent.send(server, GLOBEX).await;
        let shown = format!("{} {} {:?}", of_foreign.method, of_foreign.path, of_foreign.body);
        assert_eq!(comparable(&answer, foreign), comparable(&expected, absent), "{shown}");
        let status = if matches!(foreign, Subject::Id(_)) { 404 } else { 400 };
        assert_eq!(answer.status, status, "{shown}: {answer:?}");
        asked += 1;
    }
    assert!(asked >= 2, "{foreign:?} was asked for {asked} times");
}

/// Whoever may see it gets it on every route, and a tenant without a word of tenants. No job is asked anything new.
pub(super) async fn check_own(server: &Server, key: &str, own: &Subject) {
    let asks = |request: &Request| request.method == Method::POST && request.path.contains("/jobs/");
    for request in requests(server, own).await.into_iter().filter(|request| request.is_about_it && !asks(request)) {
        let answer = request.send(server, key).await;
        let shown = format!("{} {}: {answer:?}", request.method, request.path);
        // A batch and a later question have no transcript, recording or answers of their own.
        let has_all = matches!(own.text(), "talk" | "acme:talk") || matches!(own, Subject::Object(_));
        let is_of_job = request.path.split('/').count() == 4 || request.path.ends_with("/events");
        if has_all || is_of_job {
            assert!((200..300).contains(&answer.status), "{shown}");
        }
        assert!(answer.status < 500, "{shown}");
        if key != ADMIN {
            assert!(!format!("{:?} {}", answer.headers, answer.text).contains("acme:"), "{shown}");
        }
    }
}

impl Request {
    pub(super) async fn send(&self, server: &Server, key: &str) -> Answer {
        server.send(key, &self.service, self.method.clone(), &self.path, &[], self.body.as_ref()).await
    }
}

/// All operations of both services about the subject, in the order of the documents.
pub(super) async fn requests(server: &Server, subject: &Subject) -> Vec<Request> {
    let mut requests = Vec::new();
    for service in [&server.ingestion, &server.status] {
        let document = server.send(ADMIN, service, Method::GET, "/openapi.json", &[], None).await.json();
        for (path, operations) in document["paths"].as_object().unwrap() {
            for method in operations.as_object().unwrap().keys() {
                let method: Method = method.to_uppercase().parse().unwrap();
                requests.push(request(service, method, path, subject));
            }
        }
    }
    assert!(requests.len() > 15, "{requests:?}");
    requests
}

/// # Panics
/// Where a route has a part or takes a body that is not known here: say how it is asked.
fn request(service: &str, method: Method, path: &str, subject: &Subject) -> Request {
    let filled = path.split('/').map(|part| match part {
        "{id}" => subject.text().replace('/', "%2F"),
        "{document}" => "transcript.json".to_owned(),
        "{task}" => "summary".to_owned(),
        "{model}" => "tiny".to_owned(),
        part if part.starts_with('{') => panic!("{path} has the unknown part {part}"),
        part => part.to_owned(),
    });
    let object = json!({ "object": subject.text() });
    let body = match (method.as_str(), path) {
        ("POST", "/v1/jobs") => Some(json!({ "source": object })),
        ("POST", "/v1/batches") => Some(json!({ "sources": [object] })),
        ("POST", "/v1/jobs/{id}/llm") => Some(json!({ "task": "chapters" })),
        // They take a form with a recording, and nothing that could be another's.
        ("POST", "/v1/audio/transcriptions" | "/v1/audio/translations") => None,
        ("GET" | "DELETE", _) => None,
        _ => panic!("how is {method} {path} asked?"),
    };
    let is_about_it = match subject {
        Subject::Id(_) => path.contains("{id}"),
        Subject::Object(_) => body.is_some() && !path.contains("{id}"),
    };
    Request { service: service.to_owned(), method, path: filled.collect::<Vec<_>>().join("/"), body, is_about_it }
}

/// What a client sees of an answer, but for the name that it gave itself and what is new each time.
fn comparable(answer: &Answer, subject: &Subject) -> (u16, Vec<String>, String) {
    let each_time = ["date", "x-request-id", "content-length"];
    let headers = answer.headers.iter().filter(|(name, _)| !each_time.contains(&name.as_str()));
    let mut headers: Vec<_> = headers.map(|(name, value)| format!("{name}: {value:?}")).collect();
    headers.sort();
    (answer.status, headers, answer.text.replace(subject.text(), "IT"))
}
