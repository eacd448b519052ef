//! An endpoint for language models that is away, that is slow, and that is asked again: as its clients notice it.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};

/// A server that speaks OpenAI's chat completions and says what it is told to.
pub(crate) struct Endpoint {
    prompts: Arc<Mutex<Vec<String>>>,
    held: Arc<Mutex<Option<String>>>,
}

impl Endpoint {
    /// Begins to serve. `answer` makes an answer of a prompt.
    pub(crate) fn start(port: u16, answer: fn(&str) -> String) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let endpoint = Self { prompts: Arc::default(), held: Arc::default() };
        let (prompts, held) = (Arc::clone(&endpoint.prompts), Arc::clone(&endpoint.held));
        std::thread::spawn(move || {
            // Those that get no answer: a closed connection would be one.
            let mut open = Vec::new();
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                let prompt = prompt(&stream);
                prompts.lock().unwrap().push(prompt.clone());
                let is_held = held.lock().unwrap().as_ref().is_some_and(|part| prompt.contains(part));
                if is_held { open.push(stream) } else { reply(&stream, &answer(&prompt)) }
            }
        });
        endpoint
    }

    /// Prompts with this in them get no answer from now on.
    pub(crate) fn hold(&self, part: Option<&str>) {
        *self.held.lock().unwrap() = part.map(str::to_owned);
    }

    /// All prompts so far, in order.
    pub(crate) fn prompts(&self) -> Vec<String> {
        self.prompts.lock().unwrap().clone()
    }
}

fn prompt(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        match line.trim_end().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse().unwrap(),
            Some(_) => {}
            None if line.trim().is_empty() => break,
            None => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    body["messages"].as_array().unwrap().last().unwrap()["content"].as_str().unwrap().to_owned()
}

fn reply(mut stream: &TcpStream, text: &str) {
    let body = json!({
        "choices": [{ "message": { "role": "assistant", "content": text }, "finish_reason": "stop" }],
        "usage": { "prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110 },
    });
    let body = body.to_string();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    // Whoever asked may have been killed meanwhile.
    drop(stream.write_all((head + &body).as_bytes()));
}
