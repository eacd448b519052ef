//! Servers that take their time keep nobody else waiting.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc::{self, Receiver},
    time::Duration,
};

use engine::store::keys;
use test_stack::{INGESTION, Stack, sample};

/// What a server sends to whoever asks, for as long as somebody listens.
#[derive(Clone, Copy)]
enum Answer {
    /// A recording that never gets anywhere.
    Trickle,
    Nothing,
}

/// Tells of each request that has come.
fn server(answer: Answer) -> (String, Receiver<()>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (sender, requested) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let sender = sender.clone();
            std::thread::spawn(move || {
                let mut stream = stream.unwrap();
                assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
                sender.send(()).ok();
                serve(stream, answer)
            });
        }
    });
    (address, requested)
}

fn serve(mut stream: TcpStream, answer: Answer) {
    match answer {
        Answer::Nothing => while stream.read(&mut [0; 4096]).is_ok_and(|length| length > 0) {},
        Answer::Trickle => {
            let mut sent = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
            while sent.is_ok() {
                std::thread::sleep(Duration::from_millis(50));
                sent = stream.write_all(b"x");
            }
        }
    }
}

#[test]
fn trickling_sources_and_deaf_receivers_keep_nobody_waiting() {
    let mut stack = Stack::server_with(&[
        ("LONGHAND_ALLOW_PRIVATE_URLS", "true"),
        ("LONGHAND_WEBHOOK_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        ("LONGHAND_INGEST_SLOTS", "1"),
        ("LONGHAND_FETCH_SLOTS", "2"),
    ]);
    stack.start_worker(INGESTION);
    stack.start_noop_recogniser();
    let (trickling, fetched) = server(Answer::Trickle);
    let sources = ["slow-1", "slow-2"];
    for id in sources {
        stack.text(["transcribe", &format!("http://{trickling}/{id}.mp3"), "--id", id, "--detach"]);
        fetched.recv().unwrap();
    }
    let (deaf, told) = server(Answer::Nothing);
    let told_jobs = ["told-1", "told-2", "told-3"];
    for id in told_jobs {
        stack.text(["transcribe", &sample(), "--id", id, "--webhook", &format!("http://{deaf}/hook")]);
        told.recv().unwrap();
    }
    let list = stack.folder().join("list.txt");
    std::fs::write(&list, sample()).unwrap();
    stack.text(["batch", list.to_str().unwrap(), "--id", "box"]);

    // All that was in the way still is.
    for id in sources {
        assert_eq!(stack.json(["show", id, "--json"])["stage"], "ingest");
    }
    for id in told_jobs {
        let log = stack.folder().join("store").join(keys::deliveries(id));
        assert!(!log.exists(), "{} has been tried to the end", log.display());
    }
}
