//! A server of HTTP that gives one answer to everything, remembers what it was sent, and can be away for a while.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

pub(crate) struct Scripted {
    address: SocketAddr,
    answer: String,
    bodies: Arc<Mutex<Vec<String>>>,
    /// `None` while it is away.
    serving: Option<Serving>,
}

struct Serving {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Scripted {
    /// Answers with this body.
    pub(crate) fn start(answer: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let mut server = Self { address, answer: answer.to_owned(), bodies: Arc::default(), serving: None };
        server.serve(listener);
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Whether any body that came has these words.
    pub(crate) fn was_sent(&self, words: &[&str]) -> bool {
        self.bodies.lock().unwrap().iter().any(|body| words.iter().all(|word| body.contains(word)))
    }

    /// Connections are refused from now on.
    pub(crate) fn stop(&mut self) {
        let Some(Serving { is_over, thread }) = self.serving.take() else { return };
        is_over.store(true, Ordering::Relaxed);
        // It waits for somebody to come.
        drop(TcpStream::connect(self.address).unwrap());
        thread.join().unwrap();
    }

    pub(crate) fn start_again(&mut self) {
        self.serve(TcpListener::bind(self.address).unwrap());
    }

    fn serve(&mut self, listener: TcpListener) {
        let is_over = Arc::new(AtomicBool::new(false));
        let (ends, answer, bodies) = (Arc::clone(&is_over), self.answer.clone(), Arc::clone(&self.bodies));
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if ends.load(Ordering::Relaxed) {
                    return;
                }
                // A client that goes away is its own business.
                stream.ok().and_then(|stream| reply(&stream, &answer, &bodies));
            }
        });
        self.serving = Some(Serving { is_over, thread });
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.stop();
    }
}

fn reply(mut stream: &TcpStream, answer: &str, bodies: &Mutex<Vec<String>>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse().ok()?,
            None if line.trim().is_empty() => break,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    bodies.lock().unwrap().push(String::from_utf8(body).ok()?);
    let length = answer.len();
    write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{answer}").ok()
}
