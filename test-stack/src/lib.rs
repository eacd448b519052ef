//! The whole of Longhand for a test: a real Temporal dev server and the workers as processes of
//! their own, on free ports, with a store and settings of their own. Gone when dropped.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "it is part of tests, which stop at what is wrong")]

pub mod audio;
mod process;
pub mod redis;

use std::{
    collections::BTreeMap,
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::OnceLock,
};

pub use process::{free_port, program, spawn, wait_until};
use tempfile::TempDir;

pub const INGESTION: &str = "ingestion-worker";
pub const TRANSCRIPTION: &str = "transcription-worker";
pub const LLM: &str = "llm-worker";
pub const INGESTION_API: &str = "ingestion-api";
pub const JOB_STATUS_API: &str = "job-status-api";

pub struct Stack {
    folder: TempDir,
    port: u16,
    settings: BTreeMap<String, String>,
    server: Option<Child>,
    workers: BTreeMap<&'static str, Child>,
}

impl Stack {
    /// Server and all workers, ready.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// As [`Stack::start`], with settings on top.
    pub fn start_with(settings: &[(&str, &str)]) -> Self {
        let mut stack = Self::server_with(settings);
        for worker in [INGESTION, TRANSCRIPTION, LLM] {
            stack.start_worker(worker);
        }
        stack
    }

    /// The server alone, and the settings of what will be started.
    pub fn server_with(settings: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        let port = free_port();
        let mut all = BTreeMap::from([
            ("TEMPORAL_ADDRESS".to_owned(), format!("127.0.0.1:{port}")),
            ("LONGHAND_STORE".to_owned(), folder.path().join("store").display().to_string()),
        ]);
        all.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let mut stack = Self { folder, port, settings: all, server: None, workers: BTreeMap::new() };
        stack.start_server();
        stack
    }

    /// A folder that goes with the stack.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.settings.insert(name.to_owned(), value.to_owned());
    }

    /// Starts the server, again where it ends before it serves: it looks for ports for its parts before they listen
    /// there, and breaks down where another program takes one meanwhile (issue 581 of temporalio/cli).
    pub fn start_server(&mut self) {
        self.server = Some(self.spawn_server());
        wait_until("Temporal serves", || {
            if self.server.as_mut().unwrap().try_wait().unwrap().is_some() {
                eprintln!("Temporal's dev server broke down as it started; here is another");
                self.server = Some(self.spawn_server());
            }
            self.server_is_whole()
        });
    }

    fn spawn_server(&self) -> Child {
        let mut command = Command::new(temporal());
        command.args(["server", "start-dev", "--ip", "127.0.0.1", "--headless", "--log-level", "warn"]);
        command.args(["--sqlite-pragma", "journal_mode=wal"]);
        // As `cargo xtask dev` starts it: jobs take turns, and priorities hold for all that waits.
        for setting in ["enableFairness=true", "numTaskqueueReadPartitions=1", "numTaskqueueWritePartitions=1"] {
            command.args(["--dynamic-config-value", &format!("matching.{setting}")]);
        }
        command.args(["--port", &self.port.to_string(), "--db-filename"]).arg(self.folder.path().join("temporal.db"));
        command.stdout(self.log("temporal")).stderr(self.log("temporal"));
        spawn(command)
    }

    /// Whether the part that starts last, the server's own worker, polls, and clients are answered.
    fn server_is_whole(&self) -> bool {
        let own = ["--namespace", "temporal-system", "--task-queue", "default-worker-tq", "--output", "json"];
        let described = self.temporal(&[&["task-queue", "describe"], &own[..]].concat());
        let described: serde_json::Value = serde_json::from_slice(&described.stdout).unwrap_or_default();
        described["pollers"].is_array() && self.longhand(["list", "--json"]).status.success()
    }

    /// As after the time for which Temporal keeps jobs that have ended.
    pub fn start_server_that_knows_nothing(&mut self) {
        for file in std::fs::read_dir(self.folder()).unwrap().map(|entry| entry.unwrap().path()) {
            if file.to_str().unwrap().contains("/temporal.db") {
                std::fs::remove_file(file).unwrap();
            }
        }
        self.start_server();
    }

    /// Starts a worker or a service, and waits until it says that it is ready.
    pub fn start_worker(&mut self, worker: &'static str) {
        let ready_before = self.ready_lines(worker);
        let mut command = Command::new(program(worker));
        command.envs(&self.settings).stdin(Stdio::null()).stdout(self.log(worker)).stderr(self.log(worker));
        command.env_remove("OPENAI_API_KEY");
        self.workers.insert(worker, spawn(command));
        wait_until(&format!("{worker} is ready"), || self.ready_lines(worker) > ready_before);
    }

    fn ready_lines(&self, worker: &str) -> usize {
        self.log_of(worker).matches(" ready").count()
    }

    /// As `kill -9`, and the process is gone when this returns.
    pub fn kill(&mut self, worker: &str) {
        let mut child = self.workers.remove(worker).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    pub fn kill_server(&mut self) {
        let mut child = self.server.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Whether every worker that was started still runs.
    pub fn all_alive(&mut self) -> bool {
        self.workers.values_mut().all(|worker| worker.try_wait().unwrap().is_none())
    }

    fn log(&self, name: &str) -> File {
        File::options().create(true).append(true).open(self.folder.path().join(format!("{name}.log"))).unwrap()
    }

    pub fn log_of(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(format!("{name}.log"))).unwrap_or_default()
    }

    /// Runs the command line against this stack.
    pub fn longhand<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Output {
        self.command().args(arguments).output().unwrap()
    }

    /// Runs the command line, which has to succeed, and gives what it printed.
    pub fn text<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> String {
        let output = self.longhand(arguments);
        assert!(output.status.success(), "{:?}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// As [`Stack::text`], for what prints one JSON document.
    pub fn json<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> serde_json::Value {
        serde_json::from_str(&self.text(arguments)).unwrap()
    }

    /// The command line, set up for this stack.
    pub fn command(&self) -> Command {
        let mut command = Command::new(program("longhand"));
        command.envs(&self.settings).stdin(Stdio::null());
        command
    }

    /// The Temporal CLI, set up for this stack.
    pub fn temporal(&self, arguments: &[&str]) -> Output {
        Command::new(temporal()).args(arguments).envs(&self.settings).output().unwrap()
    }

    /// A job's whole history as JSON.
    pub fn history(&self, job: &str) -> serde_json::Value {
        let shown = self.temporal(&["workflow", "show", "--workflow-id", job, "--output", "json"]);
        serde_json::from_slice(&shown.stdout).unwrap()
    }

    /// Waits until `longhand show` gives a state that satisfies.
    pub fn wait_for(&self, job: &str, what: &str, satisfied: impl Fn(&serde_json::Value) -> bool) {
        wait_until(what, || {
            let output = self.longhand(["show", job, "--json"]);
            serde_json::from_slice(&output.stdout).is_ok_and(|state| satisfied(&state))
        });
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for name in ["temporal", INGESTION, TRANSCRIPTION, LLM, INGESTION_API, JOB_STATUS_API] {
                let log = self.log_of(name);
                let tail = log.lines().rev().take(15).collect::<Vec<_>>();
                eprintln!("--- the end of {name}'s log");
                tail.iter().rev().for_each(|line| eprintln!("{line}"));
            }
        }
        for child in self.workers.values_mut().chain(&mut self.server) {
            // A process that is gone already is as good.
            child.kill().ok();
            child.wait().ok();
        }
    }
}

/// The Temporal server's program, fetched where it is missing.
fn temporal() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let fetched = Command::new(program("longhand")).args(["fetch", "temporal"]).output().unwrap();
        assert!(fetched.status.success(), "{}", String::from_utf8_lossy(&fetched.stderr));
        PathBuf::from(String::from_utf8(fetched.stdout).unwrap().trim())
    })
}

/// The repository's sample: 11 s of an American president, public domain.
pub fn sample() -> String {
    format!("{}/../samples/jfk.flac", env!("CARGO_MANIFEST_DIR"))
}
