//! Clients that mean no good: they get an answer or a closed connection, and the service lives on, as small as before.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
};

use test_stack::wait_until;

use crate::{
    form::{Form, kind},
    service::Service,
};

/// All that comes back until the connection is closed.
fn answer(connection: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // A connection that is reset was closed, too.
    connection.read_to_end(&mut answer).ok();
    String::from_utf8_lossy(&answer).into_owned()
}

fn resident_kb(service: &Service) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", service.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_head_that_never_ends_is_cut_off() {
    let service = Service::alone(&[]);
    let before = resident_kb(&service);

    let mut slow = service.connect();
    slow.write_all(b"GET /v1/models HTTP/1.1\r\nHost: a\r\nX-Slow: ").unwrap();
    assert!(answer(&mut slow).is_empty(), "closed without an answer");

    let mut long = service.connect();
    let sent = long.write_all(b"GET / HTTP/1.1\r\nX-Long: ").and_then(|()| long.write_all(&vec![b'x'; 10 << 20]));
    assert!(sent.is_err() || answer(&mut long).starts_with("HTTP/1.1 431"));

    // The head of a part in a form, which the parser of forms would collect for ever.
    let mut part = service.connect();
    let begin = format!(
        "POST /v1/jobs HTTP/1.1\r\nHost: {}\r\nContent-Type: {}\r\nContent-Length: 100000000\r\n\r\n\
         --longhand-test\r\nContent-Disposition: form-data; name=\"",
        service.address,
        kind()
    );
    part.write_all(begin.as_bytes()).unwrap();
    let piece = vec![b'x'; 1 << 20];
    let sent = (0..90).find_map(|_| part.write_all(&piece).err());
    let received = answer(&mut part);
    assert!(sent.is_some() || received.starts_with("HTTP/1.1 400"), "{received}");

    assert_eq!(service.get("/live").await.status, 200);
    let grown = resident_kb(&service).saturating_sub(before);
    assert!(grown < 20_000, "the service grew by {grown} kB");
}

#[tokio::test]
async fn nothing_is_left_of_an_upload_that_breaks_off_or_is_refused() {
    let service = Service::alone(&[("LONGHAND_MAX_SOURCE_MB", "2")]);
    let large = service.post_form("/v1/jobs", Form::new().file(&vec![0; 2_500_000])).await;
    assert_eq!((large.status, &large.json()["error"]["param"]), (413, &"file".into()), "{large:?}");

    let begin = format!(
        "POST /v1/jobs HTTP/1.1\r\nHost: {}\r\nContent-Type: {}\r\nContent-Length: 1900000\r\n\r\n",
        service.address,
        kind()
    );
    let mut connection = service.connect();
    connection.write_all(begin.as_bytes()).unwrap();
    connection.write_all(&Form::new().file(&vec![0; 1_000_000]).torn()).unwrap();
    wait_until("the upload has begun", || service.has_uploads());
    drop(connection);
    wait_until("the unfinished upload is removed", || !service.has_uploads());

    let recording = vec![1; 100_000];
    for wrong in [("language", "klingon"), ("colour", "red"), ("id", "../etc"), ("webhook", "ftp://example.org")] {
        let form = Form::new().file(&recording).text(wrong.0, wrong.1);
        assert_eq!(service.post_form("/v1/jobs", form).await.status, 400, "{wrong:?}");
        wait_until("the recording of a form that is refused is removed", || !service.has_uploads());
    }
    let form = Form::new().file(&recording).text("temperature", "hot");
    assert_eq!(service.post_form("/v1/audio/transcriptions", form).await.status, 400);
    wait_until("the recording of a form that is refused is removed", || !service.has_uploads());

    let mut huge = service.connect();
    huge.write_all(begin.replace("1900000", "99999999999").as_bytes()).unwrap();
    let mut first = [0; 12];
    huge.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 413", "refused before anything of it is sent");
    assert_eq!(service.get("/live").await.status, 200);
}
