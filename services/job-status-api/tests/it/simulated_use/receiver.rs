//! Where webhooks arrive: what each job has told of its end.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use serde_json::Value;

/// Takes every message.
pub(super) struct Receiver {
    pub(super) url: String,
    /// Ids and statuses.
    told: Arc<Mutex<BTreeSet<(String, String)>>>,
}

impl Receiver {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let told = Arc::new(Mutex::new(BTreeSet::new()));
        let taken = Arc::clone(&told);
        thread::spawn(move || {
            for stream in listener.incoming() {
                // One whose sender was killed comes again.
                if let Some(message) = stream.ok().and_then(|stream| receive(&stream)) {
                    taken.lock().unwrap().insert(message);
                }
            }
        });
        Self { url, told }
    }

    pub(super) fn was_told(&self, job: &str, status: &str) -> bool {
        self.told.lock().unwrap().contains(&(job.to_owned(), status.to_owned()))
    }
}

fn receive(mut stream: &TcpStream) -> Option<(String, String)> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse().ok()?,
            Some(_) => {}
            None if line.trim().is_empty() => break,
            None => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body: Value = serde_json::from_slice(&body).ok()?;
    let text = |field: &str| body[field].as_str().map(str::to_owned);
    let message = (text("job_id")?, text("status")?);
    write!(stream, "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").ok()?;
    Some(message)
}
