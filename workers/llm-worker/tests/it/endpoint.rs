//! A server that speaks OpenAI's chat completions over real sockets, answers by script, and
//! remembers what it was asked. Written on bare TCP, so that it can break off where it likes.

use std::{
    sync::{Arc, Mutex},
    time::Instant,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// How the server treats one request.
#[derive(Clone)]
pub(crate) enum Play {
    Answer(String),
    /// An answer that stopped for want of tokens.
    Cut(String),
    /// A status other than 200, with a header and a body.
    Status(u16, &'static str, String),
    /// Status 200 with a body that is no completion.
    Body(&'static str),
    /// Half of an answer, then the connection is closed.
    BrokenOff,
    /// No answer at all, until the client gives up.
    Silence,
}

pub(crate) struct Request {
    pub(crate) at: Instant,
    pub(crate) authorization: String,
    pub(crate) body: Value,
}

impl Request {
    /// The text of the last message.
    pub(crate) fn prompt(&self) -> &str {
        self.body["messages"].as_array().unwrap().last().unwrap()["content"].as_str().unwrap()
    }
}

pub(crate) struct Endpoint {
    pub(crate) base_url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Endpoint {
    /// Plays the script, request by request. One more than there are plays gets status 418.
    pub(crate) async fn playing(script: Vec<Play>) -> Self {
        let refuse = Play::Status(418, "x-script: over", "the script is over".to_owned());
        Self::answering(move |number, _| script.get(number).unwrap_or(&refuse).clone()).await
    }

    /// Asks `play` for every request, given its number and body.
    pub(crate) async fn answering(play: impl Fn(usize, &Value) -> Play + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (play, seen) = (Arc::new(play), requests.clone());
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, play.clone(), seen.clone()));
            }
        });
        Self { base_url, requests }
    }

    /// What was asked since the last time.
    pub(crate) fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }
}

async fn serve<P: Fn(usize, &Value) -> Play>(stream: TcpStream, play: Arc<P>, seen: Arc<Mutex<Vec<Request>>>) {
    let mut stream = BufReader::new(stream);
    let request = read(&mut stream).await;
    let play = {
        let mut seen = seen.lock().unwrap();
        let play = play(seen.len(), &request.body);
        seen.push(request);
        play
    };
    let stream = stream.get_mut();
    match play {
        Play::Answer(text) => write(stream, 200, "", &completion(&text, "stop")).await,
        Play::Cut(text) => write(stream, 200, "", &completion(&text, "length")).await,
        Play::Status(status, header, body) => write(stream, status, header, &body).await,
        Play::Body(body) => write(stream, 200, "", body).await,
        Play::BrokenOff => {
            let body = completion("never to be read", "stop");
            let half = &body[..body.len() / 2];
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{half}", body.len());
            stream.write_all(head.as_bytes()).await.unwrap();
        }
        Play::Silence => assert_eq!(stream.read(&mut [0]).await.unwrap_or(0), 0, "the client has more to say"),
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Request {
    let at = Instant::now();
    let (mut length, mut authorization) = (0, String::new());
    let mut request = String::new();
    stream.read_line(&mut request).await.unwrap();
    assert!(request.starts_with("POST /v1/chat/completions "), "{request}");
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        match line.trim_end().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse().unwrap(),
            Some((name, value)) if name.eq_ignore_ascii_case("authorization") => authorization = value.to_owned(),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    Request { at, authorization, body: serde_json::from_slice(&body).unwrap() }
}

async fn write(stream: &mut TcpStream, status: u16, header: &str, body: &str) {
    let header = if header.is_empty() { String::new() } else { format!("{header}\r\n") };
    let length = body.len();
    let response =
        format!("HTTP/1.1 {status} Scripted\r\ncontent-length: {length}\r\nconnection: close\r\n{header}\r\n{body}");
    stream.write_all(response.as_bytes()).await.unwrap();
}

/// A completion with no more fields than the least talkative servers give.
fn completion(text: &str, finish_reason: &str) -> String {
    json!({
        "choices": [{ "message": { "role": "assistant", "content": text }, "finish_reason": finish_reason }],
        "usage": { "prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110 },
    })
    .to_string()
}
