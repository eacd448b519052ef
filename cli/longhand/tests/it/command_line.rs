//! The command line by itself: what it says, and what it refuses before anything is started.

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use engine::{
    llm::LlmUsage,
    result::{JobResult, JobStatus, Provenance, StageFailure, Timings, VERSION},
    transcript::Segment,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use test_stack::{free_port, sample};

/// The command line with a store of its own and no server, in a folder of its own.
struct Alone {
    folder: TempDir,
}

impl Alone {
    fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_longhand"));
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        command.env("LONGHAND_STORE", self.folder.path().join("store"));
        command.env("TEMPORAL_ADDRESS", format!("127.0.0.1:{}", free_port()));
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn write(&self, name: &str, content: &[u8]) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// As the ingestion worker leaves it.
    fn write_result(&self, result: &JobResult) {
        self.write(&format!("store/jobs/{}/result.json", result.job_id), &serde_json::to_vec(result).unwrap());
    }

    /// The command ends with the code, prints nothing, and says all of `says` on stderr.
    #[track_caller]
    fn check_refused(&self, arguments: &[&str], says: &[&str]) {
        let output = self.run(arguments);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "", "{arguments:?}");
        for fragment in says {
            assert!(stderr.contains(fragment), "{arguments:?}: {fragment:?} is missing in {stderr}");
        }
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

fn finished(id: &str) -> JobResult {
    let said = "And so, my fellow Americans, ask not what your country can do for you.";
    JobResult {
        version: VERSION,
        job_id: id.to_owned(),
        run_id: "run-1".to_owned(),
        status: JobStatus::Completed,
        errors: Vec::new(),
        text: said.to_owned(),
        language: "en".to_owned(),
        duration_s: 11.0,
        segments: vec![Segment {
            id: 0,
            start: 0.5,
            end: 10.5,
            text: said.to_owned(),
            tokens: vec![1, 2],
            temperature: 0.0,
            avg_logprob: -0.25,
            compression_ratio: 1.25,
            no_speech_prob: 0.0,
            words: Vec::new(),
            flags: Vec::new(),
        }],
        llm: Default::default(),
        timings: Timings { wall_s: 1.5, ..Timings::default() },
        provenance: Provenance::default(),
    }
}

#[test]
fn help_of_every_command() {
    let alone = Alone::new();
    let mut help = String::new();
    for command in [
        "",
        "transcribe",
        "list",
        "show",
        "watch",
        "cancel",
        "delete",
        "result",
        "llm",
        "batch",
        "store",
        "keys",
        "completions",
    ] {
        let arguments: Vec<_> = [command, "--help"].into_iter().filter(|argument| !argument.is_empty()).collect();
        let output = alone.command(&arguments).env("COLUMNS", "100").output().unwrap();
        assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{command}");
        help += &format!("$ longhand {}\n{}\n", arguments.join(" "), text(output.stdout));
    }
    insta::assert_snapshot!(help);
}

#[test]
fn keys_are_added_listed_and_revoked() {
    let alone = Alone::new();
    let run = |arguments: &[&str]| {
        let output = alone.command(arguments).env("LONGHAND_API_KEYS", "keys").output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", text(output.stderr));
        text(output.stdout)
    };
    let json = |arguments: &[&str]| -> Value { serde_json::from_str(&run(arguments)).unwrap() };
    let acme = run(&["keys", "add", "acme"]);
    assert_eq!(acme.lines().count(), 1, "nothing but the key");
    let ci = json(&["keys", "add", "CI", "--tenant", "acme", "--json"]);
    assert_eq!(json!([ci["name"], ci["tenant"], ci["admin"]]), json!(["CI", "acme", false]));
    assert_eq!(json(&["keys", "add", "root", "--admin", "--json"])["tenant"], Value::Null);
    let kept = fs::read_to_string(alone.folder.path().join("keys")).unwrap();
    assert!(!kept.contains(acme.trim()) && !kept.contains(ci["key"].as_str().unwrap()), "{kept}");
    let listed = json!([
        { "name": "acme", "tenant": "acme", "admin": false },
        { "name": "CI", "tenant": "acme", "admin": false },
        { "name": "root", "tenant": null, "admin": true },
    ]);
    assert_eq!(json(&["keys", "list", "--json"]), listed);
    run(&["keys", "revoke", "acme"]);
    assert_eq!(run(&["keys", "list"]), "NAME  TENANT\nCI    acme\nroot  * (all)\n");
    for (arguments, says) in [
        (&["keys", "list"][..], &["LONGHAND_API_KEYS", "--file"][..]),
        (&["keys", "list", "--file", "none"], &["none cannot be read"]),
        (&["keys", "add", "Anna", "--file", "keys"], &["Anna is no tenant's name", "--tenant", "small letters"]),
        (&["keys", "add", "CI", "--admin", "--file", "keys"], &["the name CI twice"]),
        (&["keys", "add", "a", "--tenant", "a:b", "--file", "keys"], &["a:b", "small letters"]),
        (&["keys", "revoke", "acme", "--file", "keys"], &["have no name acme"]),
    ] {
        alone.check_refused(arguments, says);
    }
}

#[test]
fn wrong_use_is_refused() {
    let alone = Alone::new();
    alone.write("talk.wav", b"RIFF");
    alone.write("schema.json", b"{not json");
    for (arguments, says) in [
        (&[][..], &["Usage"][..]),
        (&["transcript"], &["transcribe"]),
        (&["transcribe"], &["<FILE|URL>"]),
        (&["transcribe", "talk.wav", "--format", "docx"], &["docx", "verbose_json"]),
        (&["transcribe", "talk.wav", "--json", "--format", "srt"], &["--json", "--format"]),
        (&["transcribe", "talk.wav", "--language", "klingon"], &["klingon", "auto"]),
        (&["transcribe", "talk.wav", "--llm", "poem"], &["poem", "summary"]),
        (&["transcribe", "talk.wav", "--llm", "summary,summary"], &["summary twice"]),
        (&["transcribe", "talk.wav", "--schema", "schema.json"], &["--ask"]),
        (&["transcribe", "talk.wav", "--ask", "Who?", "--schema", "schema.json"], &["schema.json", "not JSON"]),
        (&["transcribe", "talk.wav", "--ask", "Who?", "--schema", "none.json"], &["none.json"]),
        (&["transcribe", "talk.wav", "--ask", " "], &["--ask is empty"]),
        (&["transcribe", "talk.wav", "--id", "a/b"], &["a/b", "digits"]),
        (&["transcribe", "talk.wav", "--id", "a.webhook"], &["a.webhook", "take another one"]),
        (&["batch", "talks", "--id", "a.llm.ask"], &["a.llm.ask", "take another one"]),
        (&["transcribe", "talk.wav", "talk.wav", "--format", "srt"], &["-o FOLDER"]),
        (&["transcribe", "talk.wav", "-o", "none/talk.txt"], &["none/talk.txt", "no such folder"]),
        (&["transcribe", "talk.wav", "talk.wav", "-o", "talk.wav"], &["talk.wav", "folder"]),
        (&["show", "../up"], &["../up"]),
        (&["cancel"], &["<ID>"]),
        (&["delete"], &["<ID>"]),
        (&["delete", "job-1"], &["--yes"]),
        (&["store", "empty"], &["empty"]),
        (&["llm", "job-1"], &["--task", "--ask"]),
        (&["llm", "job-1", "--task", "summary", "--ask", "Who?"], &["cannot be used with"]),
        (&["batch", ".", "--concurrency", "0"], &["--concurrency"]),
        (&["batch", ".", "--format", "srt"], &["--output"]),
        (&["completions", "dos"], &["bash"]),
    ] {
        alone.check_refused(arguments, says);
    }
}

#[test]
fn inputs_that_cannot_be_read_are_refused_before_anything_starts() {
    let alone = Alone::new();
    alone.write("empty.wav", b"");
    alone.write("talk.wav", b"RIFF");
    alone.write("folder/notes.txt", b"no audio");
    alone.write("list.txt", b"talk.wav\n# a comment\nmissing-1.wav\nmissing-2.wav\n");
    for (arguments, says) in [
        (&["transcribe", "talk.wav", "none.wav"][..], &["none.wav", "no such file"][..]),
        (&["transcribe", "folder"], &["folder", "longhand batch"]),
        (&["transcribe", "empty.wav"], &["empty.wav", "empty"]),
        (&["transcribe", "/dev/null"], &["/dev/null", "no regular file"]),
        (&["transcribe", "ftp://host/a.wav"], &["ftp://host/a.wav", "http or https"]),
        (&["transcribe", "http://"], &["http://", "no address"]),
        (&["batch", "none"], &["none"]),
        (&["batch", "folder"], &["no recordings in folder", "flac"]),
        (&["batch", "list.txt"], &["missing-1.wav", "missing-2.wav", "nothing is started"]),
    ] {
        alone.check_refused(arguments, says);
    }
    assert!(!alone.folder.path().join("store").exists());
}

#[test]
fn a_server_that_is_not_there_is_said_so_soon() {
    let alone = Alone::new();
    alone.write("talks/talk.wav", b"RIFF");
    for arguments in [
        &["transcribe", &sample()][..],
        &["batch", "talks"],
        &["list"],
        &["show", "job-1"],
        &["watch", "job-1"],
        &["cancel", "job-1"],
        &["delete", "job-1", "--yes"],
        &["store", "sweep", "--dry-run"],
        &["llm", "job-1", "--task", "summary"],
    ] {
        let began = Instant::now();
        alone.check_refused(arguments, &["cannot reach Temporal at", "cargo xtask dev", "TEMPORAL_ADDRESS"]);
        assert!(began.elapsed() < Duration::from_secs(8), "{arguments:?} took {:?}", began.elapsed());
    }
}

/// A port that accepts and never answers is as good as nobody.
#[test]
fn a_server_that_never_answers_is_given_up() {
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let output = Alone::new()
        .command(&["list"])
        .env("TEMPORAL_ADDRESS", silent.local_addr().unwrap().to_string())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(output.stderr).contains("cannot reach Temporal at"));
}

#[test]
fn wrong_settings_are_named() {
    let output = Alone::new().command(&["result", "job-1"]).env("LONGHAND_STOER", "x").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(output.stderr).contains("did you mean LONGHAND_STORE?"));
}

#[test]
fn a_result_is_read_without_a_server() {
    let alone = Alone::new();
    let result = finished("job-1");
    alone.write_result(&result);
    for (arguments, begins) in [
        (&["result", "job-1"][..], "And so, my fellow Americans"),
        (&["result", "job-1", "--format", "srt"], "1\n00:00:00,500 --> 00:00:"),
        (&["result", "job-1", "--format", "vtt"], "WEBVTT\n\n00:00:00.500 --> "),
        (&["result", "job-1", "--format", "verbose_json"], "{\n  \"task\": \"transcribe\""),
    ] {
        let output = alone.run(arguments);
        assert_eq!(output.status.code(), Some(0));
        let printed = text(output.stdout);
        assert!(printed.starts_with(begins) && printed.ends_with('\n'), "{arguments:?}: {printed}");
    }
    let printed: JobResult = serde_json::from_slice(&alone.run(&["result", "job-1", "--json"]).stdout).unwrap();
    assert_eq!(printed, result);
    alone.check_refused(&["result", "job-2"], &["job-2", "LONGHAND_STORE"]);
}

#[test]
fn a_file_is_written_whole_and_in_the_format_of_its_name() {
    let alone = Alone::new();
    alone.write_result(&finished("job-1"));
    alone.write("out/talk.vtt", b"what was there before");
    for (path, begins) in [("out/talk.vtt", "WEBVTT"), ("talk.json", "{"), ("talk", "And so"), ("out", "")] {
        let output = alone.run(&["result", "job-1", "-o", path]);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0), "{path}");
        let path = alone.folder.path().join(path);
        assert!(path.is_dir() || fs::read_to_string(&path).unwrap().starts_with(begins), "{}", path.display());
    }
    let mut names: Vec<_> =
        fs::read_dir(alone.folder.path().join("out")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["job-1.txt", "talk.vtt"], "the folder has the result under its name and nothing unfinished");
}

#[test]
fn how_a_job_ended_decides_on_the_exit_code() {
    let alone = Alone::new();
    let failure = |stage: &str| vec![StageFailure { stage: stage.to_owned(), message: "it broke".to_owned() }];
    for (status, errors, code, prints, says) in [
        (JobStatus::Completed, Vec::new(), 0, true, "job-1: completed, 11.0 s of audio in 1.5 s\n"),
        (
            JobStatus::CompletedWithErrors,
            failure("llm:summary"),
            0,
            true,
            "warning: job-1 has its transcript, but llm:summary failed: it broke\n\
             hint: `longhand llm job-1 --task summary` runs it again\n",
        ),
        (JobStatus::Failed, failure("ingest"), 1, false, "error: job-1 failed: ingest: it broke\n"),
        (JobStatus::Cancelled, Vec::new(), 1, false, "job-1 was cancelled\n"),
    ] {
        alone.write_result(&JobResult { status, errors, ..finished("job-1") });
        let output = alone.run(&["result", "job-1"]);
        assert_eq!(output.status.code(), Some(code), "{status}");
        assert_eq!((!output.stdout.is_empty(), text(output.stderr).as_str()), (prints, says), "{status}");
        let output = alone.run(&["result", "job-1", "--json"]);
        assert_eq!(output.status.code(), Some(code), "{status}");
        assert_eq!(serde_json::from_slice::<Value>(&output.stdout).unwrap()["status"], json!(status));
    }
}

#[test]
fn answers_follow_the_text_and_are_missed_in_subtitles() {
    let alone = Alone::new();
    let mut result = finished("job-1");
    result.llm.insert("summary".to_owned(), json!("He asks for service."));
    let usage =
        LlmUsage { provider: "local".into(), model: "m".into(), prompt_tokens: 1, completion_tokens: 1, calls: 1 };
    result.provenance.llm.insert("summary".to_owned(), usage);
    alone.write_result(&result);
    let printed = text(alone.run(&["result", "job-1"]).stdout);
    assert!(printed.ends_with("do for you.\n\nSummary:\nHe asks for service.\n"), "{printed}");
    let stderr = text(alone.run(&["result", "job-1", "--format", "srt"]).stderr);
    assert!(stderr.contains("hint: `longhand result job-1` has the LLM's answers, too"), "{stderr}");
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let alone = Alone::new();
    let mut result = finished("job-1");
    result.text = "word ".repeat(1_000_000);
    alone.write_result(&result);
    let mut reading =
        alone.command(&["result", "job-1"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut beginning = [0; 4];
    reading.stdout.take().unwrap().read_exact(&mut beginning).unwrap();
    let ended = reading.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), &beginning), (Some(0), b"word"));
    assert!(!text(ended.stderr).contains("error"));
}

#[test]
fn completions_are_scripts() {
    for (shell, contains) in
        [("bash", "complete -F _longhand"), ("zsh", "#compdef longhand"), ("fish", "complete -c longhand")]
    {
        let script = text(Alone::new().run(&["completions", shell]).stdout);
        assert!(script.contains(contains), "{shell}");
    }
    let mut bash = Command::new("bash").args(["-n", "/dev/stdin"]).stdin(Stdio::piped()).spawn().unwrap();
    bash.stdin.take().unwrap().write_all(&Alone::new().run(&["completions", "bash"]).stdout).unwrap();
    assert!(bash.wait().unwrap().success());
}
