//! A small HTTP server for one file, with byte ranges and the faults that downloads meet.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        mpsc::{self, Receiver},
    },
    thread,
    time::Duration,
};

/// A hundred bytes in a second.
const TRICKLE_PAUSE: Duration = Duration::from_millis(10);

/// How the server treats one request. The last of a list holds for all further requests.
pub(crate) enum Answer {
    /// The bytes from the start of the range on.
    Serve,
    /// All bytes, whatever range is asked for.
    IgnoreRange,
    /// The connection closes after that many bytes.
    CutAfter(usize),
    Status(&'static str),
    /// So many bytes, and then no more while the connection stays.
    StallAfter(usize),
    /// One byte after the other, never many.
    Trickle,
    /// As `Serve`, once the other end of the channel says so.
    ServeAfter(Receiver<()>),
}

pub(crate) struct FileServer {
    address: std::net::SocketAddr,
    ranges: Arc<Mutex<Vec<Option<usize>>>>,
}

impl FileServer {
    pub(crate) fn start(content: Vec<u8>, answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let ranges = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&ranges);
        thread::spawn(move || {
            let mut answers = answers.into_iter().peekable();
            let mut answer = answers.next().unwrap();
            for connection in listener.incoming() {
                respond(connection.unwrap(), &content, &answer, &seen);
                if let Some(next) = answers.next() {
                    answer = next;
                }
            }
        });
        Self { address, ranges }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/file", self.address)
    }

    /// A hub of models that has this one file, whatever it is asked for.
    pub(crate) fn hub(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where each request so far asked to begin; `None` for a request without a range.
    pub(crate) fn requests(&self) -> Vec<Option<usize>> {
        self.ranges.lock().unwrap().clone()
    }
}

/// An address where nobody listens.
pub(crate) fn dead_url() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}/file", listener.local_addr().unwrap())
}

/// Says when the server may serve.
pub(crate) fn gate() -> (mpsc::Sender<()>, Answer) {
    let (open, wait) = mpsc::channel();
    (open, Answer::ServeAfter(wait))
}

fn respond(connection: TcpStream, content: &[u8], answer: &Answer, seen: &Mutex<Vec<Option<usize>>>) {
    let range = read_range(&connection);
    seen.lock().unwrap().push(range);
    let start = range.unwrap_or(0);
    let sent = match answer {
        Answer::Status(status) => send(&connection, status, b"", 0),
        Answer::IgnoreRange => send(&connection, "200 OK", content, content.len()),
        Answer::CutAfter(length) => send(&connection, partial(range), &content[start..], *length),
        Answer::Serve => send(&connection, partial(range), &content[start..], content.len()),
        Answer::StallAfter(length) => {
            send(&connection, partial(range), &content[start..], *length).and_then(|()| until_hung_up(&connection))
        }
        Answer::Trickle => send(&connection, partial(range), &content[start..], 0)
            .and_then(|()| trickle(&connection, &content[start..])),
        Answer::ServeAfter(opened) => {
            opened.recv().unwrap();
            send(&connection, partial(range), &content[start..], content.len())
        }
    };
    // A client that has seen enough may hang up; what it got is checked on its side.
    sent.ok();
}

fn partial(range: Option<usize>) -> &'static str {
    if range.is_some() { "206 Partial Content" } else { "200 OK" }
}

fn send(mut connection: &TcpStream, status: &str, body: &[u8], at_most: usize) -> std::io::Result<()> {
    write!(connection, "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len())?;
    connection.write_all(&body[..body.len().min(at_most)])
}

/// The client sends nothing more, so what comes is its end.
fn until_hung_up(mut connection: &TcpStream) -> std::io::Result<()> {
    connection.read(&mut [0]).map(drop)
}

fn trickle(mut connection: &TcpStream, body: &[u8]) -> std::io::Result<()> {
    for byte in body {
        connection.write_all(&[*byte])?;
        thread::sleep(TRICKLE_PAUSE);
    }
    Ok(())
}

fn read_range(connection: &TcpStream) -> Option<usize> {
    let lines = BufReader::new(connection).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let headers: Vec<String> = lines.collect();
    let range = headers.iter().find_map(|line| line.to_lowercase().strip_prefix("range: bytes=").map(str::to_owned))?;
    range.trim_end_matches('-').parse().ok()
}
