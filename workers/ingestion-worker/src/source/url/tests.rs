//! Downloads from a server of the test's own, which answers as the path says.

use std::{net::SocketAddr, time::Duration};

use engine::error::{
    FailureKind::{self, BadInput, Transient},
    StageError,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::{LocalSource, Pace, SizeLimit, SsrfGuard, download, fetch};

/// Serves until the test's runtime ends.
async fn start_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            tokio::spawn(answer(connection));
        }
    });
    address
}

async fn answer(mut connection: TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(connection.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split([' ', '?']).nth(1).unwrap();
    if let Some((head, piece)) = endless(path) {
        return send_for_ever(connection, head, piece).await;
    }
    connection.write_all(response(path).as_bytes()).await.unwrap();
    connection.shutdown().await.unwrap();
}

/// What a server sends at once, and then again and again.
fn endless(path: &str) -> Option<(&'static [u8], &'static [u8])> {
    const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\n\r\n";
    match path {
        "/trickling-head" => Some((b"HTTP/1.1 200 OK\r\nx: ", b"x")),
        "/trickling" => Some((HEAD, b"x")),
        "/endless" => Some((HEAD, &[b'x'; 1_000])),
        _ => None,
    }
}

/// Until nobody listens any more.
async fn send_for_ever(mut connection: TcpStream, head: &[u8], piece: &[u8]) {
    connection.write_all(head).await.unwrap();
    while connection.write_all(piece).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn response(path: &str) -> String {
    let redirect = |to: &str| format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n");
    let status = |line: &str| format!("HTTP/1.1 {line}\r\ncontent-length: 0\r\n\r\n");
    match path {
        "/talk.wav" => "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nsound".to_owned(),
        "/moved" => redirect("/talk.wav"),
        "/for-ever" => redirect("/for-ever"),
        "/to-private" => redirect("http://10.0.0.1/talk.wav"),
        "/to-decimal" => redirect("http://2130706434/talk.wav"),
        "/to-file" => redirect("file:///etc/passwd"),
        "/missing" => status("404 Not Found"),
        "/busy" => status("429 Too Many Requests"),
        "/broken" => status("500 Internal Server Error"),
        "/says-large" => "HTTP/1.1 200 OK\r\ncontent-length: 2000001\r\n\r\n".to_owned(),
        "/is-large" => {
            format!(
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1e8481\r\n{}\r\n0\r\n\r\n",
                "x".repeat(2_000_001)
            )
        }
        "/cut" => "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nso far".to_owned(),
        "/cut-in-pieces" => "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n40\r\nso far".to_owned(),
        other => panic!("no test asks for {other}"),
    }
}

/// Downloads as if 127.0.0.1, and nothing else, were public.
async fn get(url: &str) -> Result<LocalSource, StageError> {
    get_at(url, PATIENT).await
}

async fn get_at(url: &str, pace: Pace) -> Result<LocalSource, StageError> {
    let client = reqwest::Client::builder().no_proxy();
    download(client, SsrfGuard::but_for_one_loopback_address(), url, SizeLimit { megabytes: 2 }, pace).await
}

const MINUTE: Duration = Duration::from_secs(60);

const PATIENT: Pace = Pace { answer: MINUTE, stretch: MINUTE, least_bytes: 0, longest: MINUTE };

#[tokio::test]
async fn a_download_is_complete_and_hashed_and_removed_after_use() {
    let server = start_server().await;
    for path in ["talk.wav", "moved"] {
        let mut source = get(&format!("http://user:secret@{server}/{path}?token=secret#part")).await.unwrap();
        assert_eq!(source.name, format!("http://{server}/{path}"));
        assert_eq!(std::io::read_to_string(&mut source.file).unwrap(), "sound");
        assert_eq!(source.sha256, "dd29442deca69f52c50006b831cb216edf78a7da33748f0a80ff19f2ebe57ecd");
        let copy = source.temporary.as_ref().unwrap().to_path_buf();
        assert!(copy.exists());
        drop(source);
        assert!(!copy.exists());
    }
}

#[tokio::test]
async fn what_a_server_can_do_wrong_is_told_apart() {
    let server = start_server().await;
    let private = |host: &str| {
        format!(
            "leads to {host} in a private network; give a public address, or set LONGHAND_ALLOW_PRIVATE_URLS=true on the ingestion worker"
        )
    };
    let cases: Vec<(&str, FailureKind, String)> = vec![
        ("for-ever", BadInput, "redirects more than 5 times; give the address at which the recording lies".into()),
        ("to-private", BadInput, private("10.0.0.1")),
        ("to-decimal", BadInput, private("127.0.0.2")),
        ("to-file", BadInput, "answers 302 Found; check that the address is right and public".into()),
        ("missing", BadInput, "answers 404 Not Found; check that the address is right and public".into()),
        ("busy", Transient, "answers 429 Too Many Requests; try again later".into()),
        ("broken", Transient, "answers 500 Internal Server Error; try again later".into()),
        (
            "says-large",
            BadInput,
            "is larger than 2 MB; split it, or raise LONGHAND_MAX_SOURCE_MB on the ingestion worker".into(),
        ),
        (
            "is-large",
            BadInput,
            "is larger than 2 MB; split it, or raise LONGHAND_MAX_SOURCE_MB on the ingestion worker".into(),
        ),
    ];
    for (path, kind, message) in cases {
        let error = get(&format!("http://{server}/{path}")).await.err().unwrap();
        assert_eq!((error.kind, error.message), (kind, format!("http://{server}/{path} {message}")));
    }
}

#[tokio::test]
async fn a_connection_that_breaks_is_worth_another_try() {
    let server = start_server().await;
    for path in ["cut", "cut-in-pieces"] {
        let error = get(&format!("http://{server}/{path}")).await.err().unwrap();
        assert_eq!(error.kind, Transient, "{path}");
        let beginning = format!("the download of http://{server}/{path} broke off: ");
        assert!(
            error.message.starts_with(&beginning) && error.message.ends_with("; try again later"),
            "{}",
            error.message
        );
    }
    // Nobody listens where a listener has just been closed.
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = get(&format!("http://{closed}/talk.wav")).await.err().unwrap();
    assert_eq!(error.kind, Transient);
    assert!(error.message.starts_with(&format!("http://{closed}/talk.wav cannot be reached: ")), "{}", error.message);
}

#[tokio::test]
async fn a_name_is_judged_by_what_it_resolves_to() {
    let port = start_server().await.port();
    let url = format!("http://localhost:{port}/talk.wav");
    let limit = SizeLimit { megabytes: 2 };
    let refused = fetch(&url, false, limit, PATIENT).await.err().unwrap();
    assert_eq!(
        (refused.kind, refused.message),
        (
            BadInput,
            format!(
                "{url} leads to localhost in a private network; give a public address, or set LONGHAND_ALLOW_PRIVATE_URLS=true on the ingestion worker"
            )
        )
    );
    assert!(fetch(&url, true, limit, PATIENT).await.is_ok());
}

#[tokio::test]
async fn a_server_that_gets_nowhere_is_given_up() {
    let server = start_server().await;
    let soon = Duration::from_millis(250);
    for (path, pace, kind, message) in [
        (
            "trickling-head",
            Pace { answer: soon, ..PATIENT },
            Transient,
            "http://SERVER/trickling-head gives no answer within 0.25 s; try again later",
        ),
        (
            "trickling",
            Pace { stretch: soon, least_bytes: 10_000, ..PATIENT },
            Transient,
            "http://SERVER/trickling has sent N bytes in 0.25 s, too few to wait for the rest; try again later, or upload the recording",
        ),
        (
            "endless",
            Pace { stretch: soon, least_bytes: 1, longest: 2 * soon, ..PATIENT },
            BadInput,
            "fetching http://SERVER/endless takes longer than 0 minutes; upload the recording, or raise LONGHAND_FETCH_MINUTES on the ingestion worker",
        ),
    ] {
        let error = get_at(&format!("http://{server}/{path}"), pace).await.err().unwrap();
        let message = message.replace("SERVER", &server.to_string());
        let (before, after) = message.split_once('N').unwrap_or((&message, ""));
        assert_eq!(error.kind, kind, "{path}");
        assert!(error.message.starts_with(before) && error.message.ends_with(after), "{}", error.message);
    }
}
