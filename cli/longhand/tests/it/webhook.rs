//! The message that tells a user's server how a job ended.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    sync::mpsc::{self, Receiver},
};

use engine::{secret::Secret, webhook::signature};
use serde_json::{Value, json};
use test_stack::{Stack, TRANSCRIPTION, sample, wait_until};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A message as it came in.
struct Message {
    id: String,
    timestamp: u64,
    signature: String,
    body: String,
}

#[test]
fn the_end_of_a_job_is_told_until_it_is_taken() {
    let (address, messages) = receiver(["500 Internal Server Error", "302 Found", "204 No Content"]);
    let stack = Stack::start_with(&[("LONGHAND_WEBHOOK_SECRET", SECRET), ("LONGHAND_ALLOW_PRIVATE_URLS", "true")]);
    let webhook = format!("http://user:password@{address}/hook?key=value");
    stack.text(["transcribe", &sample(), "--language", "en", "--id", "told", "--webhook", &webhook]);

    let messages: Vec<Message> = messages.into_iter().take(3).collect();
    for message in &messages {
        assert_eq!(message.id, messages[0].id, "one message, however often it is sent");
        let expected = signature(&Secret::new(SECRET.to_owned()), &message.id, message.timestamp, &message.body);
        assert_eq!(message.signature, expected.unwrap());
        let body: Value = serde_json::from_str(&message.body).unwrap();
        assert_eq!(body, json!({"type": "job.completed", "job_id": "told", "status": "completed"}));
    }

    let attempts = || attempts(&stack, "told");
    wait_until("the delivery is in the log", || attempts().len() == 3);
    let outcomes: Vec<_> = attempts().iter().map(|attempt| attempt["outcome"].as_str().unwrap().to_owned()).collect();
    let failed = ["the receiver answers 500 Internal Server Error", "the receiver answers 302 Found"];
    assert_eq!(outcomes, [failed[0], failed[1], "204 No Content"]);
    for attempt in attempts() {
        assert_eq!(attempt["url"], format!("http://{address}/hook"), "neither password nor query are kept");
    }
}

#[test]
fn a_webhook_that_may_not_be_sent_costs_nothing_but_itself() {
    for (settings, webhook, reason) in [
        (vec![], "http://example.org/hook", "set LONGHAND_WEBHOOK_SECRET on the ingestion worker"),
        (vec![("LONGHAND_WEBHOOK_SECRET", SECRET)], "http://10.0.0.1/hook", "leads to 10.0.0.1 in a private network"),
        (vec![("LONGHAND_WEBHOOK_SECRET", SECRET)], "file:///etc/passwd", "is no http or https address"),
    ] {
        let stack = Stack::start_with(&settings);
        stack.text(["transcribe", &sample(), "--language", "en", "--id", "told", "--webhook", webhook]);
        wait_until("the attempt is in the log", || !attempts(&stack, "told").is_empty());
        let attempts = attempts(&stack, "told");
        assert_eq!(attempts.len(), 1, "it is not tried again");
        assert_eq!(attempts[0]["delivered"], false);
        assert!(attempts[0]["outcome"].as_str().unwrap().contains(reason), "{attempts:?}");
        assert_eq!(stack.json(["show", "told", "--json"])["status"], "completed");
    }
}

#[test]
fn every_run_of_a_job_has_its_end_told() {
    let refused = "503 Service Unavailable";
    let (address, messages) = receiver([refused, refused, "204 No Content", "204 No Content"]);
    let stack = Stack::start_with(&[("LONGHAND_WEBHOOK_SECRET", SECRET), ("LONGHAND_ALLOW_PRIVATE_URLS", "true")]);
    let webhook = format!("http://{address}/hook");
    let transcribe = |recording: &str| {
        stack.longhand(["transcribe", recording, "--language", "en", "--id", "twice", "--webhook", &webhook])
    };
    assert_eq!(transcribe("/etc/hostname").status.code(), Some(1));
    let mut messages = messages.into_iter();
    let first = messages.next().unwrap();
    // The message of the run that failed is on its way for a while.
    assert!(transcribe(&sample()).status.success());
    let messages: Vec<Message> = [first].into_iter().chain(messages.take(3)).collect();

    let told = |kind: &str| -> Vec<&Message> {
        messages.iter().filter(|message| message.body.contains(&format!("\"{kind}\""))).collect()
    };
    let (failed, completed) = (told("job.failed"), told("job.completed"));
    assert_eq!((failed.is_empty(), completed.is_empty(), failed.len() + completed.len()), (false, false, 4));
    assert!(failed.iter().all(|message| message.id == failed[0].id), "one message, however often it is sent");
    assert_ne!(failed[0].id, completed[0].id);
    wait_until("both deliveries are in the log", || {
        let attempts = attempts(&stack, "twice");
        let delivered = |event: &str| {
            attempts.iter().any(|attempt| attempt["event"] == event && attempt["delivered"] == json!(true))
        };
        delivered("job.failed") && delivered("job.completed")
    });
}

#[test]
fn a_delivery_that_cannot_be_started_is_told() {
    let mut stack = Stack::start_with(&[("LONGHAND_WEBHOOK_SECRET", SECRET)]);
    stack.kill(TRANSCRIPTION);
    let webhook = "http://example.org/hook";
    let asked = ["transcribe", &sample(), "--language", "en", "--id", "taken", "--webhook", webhook, "--detach"];
    stack.text(asked);
    let described = stack.temporal(&["workflow", "describe", "--workflow-id", "taken", "--output", "json"]);
    let described: Value = serde_json::from_slice(&described.stdout).unwrap();
    let run = described["workflowExecutionInfo"]["execution"]["runId"].as_str().unwrap();
    let other = format!("taken.{run}.webhook");
    let start = ["workflow", "start", "--workflow-id", &other, "--type", "other", "--task-queue", "nowhere"];
    assert!(stack.temporal(&start).status.success());

    stack.start_worker(TRANSCRIPTION);
    wait_until("it is in the log", || !attempts(&stack, "taken").is_empty());
    let told = &attempts(&stack, "taken")[0];
    assert_eq!(
        (&told["event"], &told["delivered"], &told["url"]),
        (&"job.completed".into(), &json!(false), &webhook.into())
    );
    assert!(told["outcome"].as_str().unwrap().contains("could not be started"), "{told}");
    stack.wait_for("taken", "the job is over all the same", |state| state["status"] == "completed");
}

/// The job's delivery log, as far as it is there: of all its messages.
fn attempts(stack: &Stack, job: &str) -> Vec<Value> {
    let read = |path: &Path| -> Vec<Value> { serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap() };
    let folder = std::fs::read_dir(stack.folder().join(format!("store/jobs/{job}/deliveries")));
    let logs = folder.into_iter().flatten().map(|entry| entry.unwrap().path());
    // Others are on their way.
    logs.filter(|path| path.extension().is_some_and(|end| end == "json")).flat_map(|path| read(&path)).collect()
}

/// A server that answers as it is told, once each.
fn receiver<const N: usize>(answers: [&'static str; N]) -> (String, Receiver<Message>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (sender, messages) = mpsc::channel();
    std::thread::spawn(move || {
        for answer in answers {
            let (stream, _) = listener.accept().unwrap();
            sender.send(read(&stream)).unwrap();
            write!(&stream, "HTTP/1.1 {answer}\r\nlocation: /other\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                .unwrap();
        }
    });
    (address, messages)
}

fn read(stream: &TcpStream) -> Message {
    let mut reader = BufReader::new(stream);
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        headers.push(line.trim().to_owned());
    }
    let header = |name: &str| {
        let found =
            headers.iter().filter_map(|line| line.split_once(": ")).find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.unwrap_or_else(|| panic!("{name} is missing in {headers:?}")).1.to_owned()
    };
    let mut body = vec![0; header("content-length").parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    Message {
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp").parse().unwrap(),
        signature: header("webhook-signature"),
        body: String::from_utf8(body).unwrap(),
    }
}
