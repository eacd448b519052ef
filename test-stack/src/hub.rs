//! A hub of models that serves next to nothing, and the cache of a worker that is to fetch from it.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use crate::program;

/// What comes of a file before its transfer begins to trickle.
const FIRST_BYTES: usize = 26_000_000;
/// Between two bytes after that.
const PAUSE: Duration = Duration::from_millis(200);

/// Every file that it is asked for is as long as Whisper tiny's, and is never there as a whole.
pub struct TricklingHub {
    port: u16,
}

impl TricklingHub {
    /// Bytes of each file.
    pub const FILE_BYTES: usize = 77_691_713;

    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for connection in listener.incoming() {
                // Fails where the client has gone, which is what it is to do.
                thread::spawn(|| connection.and_then(serve).ok());
            }
        });
        Self { port }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

fn serve(mut connection: TcpStream) -> io::Result<()> {
    let requested = BufReader::new(&connection).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let start = requested.into_iter().find_map(|line| {
        line.to_lowercase().strip_prefix("range: bytes=").and_then(|range| range.trim_end_matches('-').parse().ok())
    });
    let status = if start.is_some() { "206 Partial Content" } else { "200 OK" };
    let start = start.unwrap_or(0);
    let length = TricklingHub::FILE_BYTES - start;
    write!(connection, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")?;
    connection.write_all(&vec![0; FIRST_BYTES.saturating_sub(start)])?;
    loop {
        thread::sleep(PAUSE);
        connection.write_all(&[0])?;
    }
}

/// Makes a worker's cache of a folder that holds Whisper base alone, and gives that model's file.
pub fn cache_with_base(folder: &Path) -> PathBuf {
    let fetched = Command::new(program("longhand")).args(["fetch", "whisper-base"]).output().unwrap();
    assert!(fetched.status.success(), "{}", String::from_utf8_lossy(&fetched.stderr));
    let base = PathBuf::from(String::from_utf8(fetched.stdout).unwrap().trim());
    put_into_cache(folder, "base", &base);
    base
}

/// As if a model had been fetched, whose weights are those of the file.
pub fn put_into_cache(folder: &Path, model: &str, weights: &Path) {
    let models = folder.join("models");
    std::fs::create_dir_all(&models).unwrap();
    std::os::unix::fs::symlink(weights, models.join(format!("ggml-{model}-q8_0.bin"))).unwrap();
}
