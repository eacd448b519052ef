//! The whole of Longhand for a test: a real Temporal dev server and the workers as processes of
//! their own, on free ports, with a store and settings of their own. Gone when dropped.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "it is part of tests, which stop at what is wrong")]

pub mod audio;
mod disk;
pub mod hub;
mod process;
pub mod redis;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::OnceLock,
};

pub use disk::SmallDisk;
pub use process::{await_ready, free_port, program, wait_until};
use supervisor::{
    Embedded, Ports, Program,
    embedded::{TEMPORAL, WORKERS},
    log_path,
};
pub use supervisor::{
    Process, Readiness,
    embedded::{INGESTION, INGESTION_API, JOB_STATUS_API, LLM, TRANSCRIPTION},
};
use tasks::last_lines;
use tempfile::TempDir;

/// Of the transcription worker's package.
const NOOP_RECOGNISER: &str = "noop_recogniser";

/// Lines of each log that are shown of a test that fails.
const LOG_LINES: usize = 15;

pub struct Stack {
    folder: TempDir,
    embedded: Embedded,
    settings: BTreeMap<String, String>,
    /// Those that run, and those that have ended by themselves.
    processes: BTreeMap<&'static str, Process>,
}

impl Stack {
    /// Server and all workers, ready.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// As [`Stack::start`], with settings on top.
    pub fn start_with(settings: &[(&str, &str)]) -> Self {
        let mut stack = Self::server_with(settings);
        for worker in WORKERS {
            stack.start_worker(worker);
        }
        stack
    }

    /// The server alone, and the settings of what will be started.
    pub fn server_with(settings: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        let embedded = Embedded {
            ports: Ports::any().unwrap(),
            database: folder.path().join("temporal.db"),
            store: Some(folder.path().join("store")),
        };
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mut stack = Self { folder, embedded, settings: settings.collect(), processes: BTreeMap::new() };
        stack.start_server();
        stack
    }

    /// A folder that goes with the stack.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where its parts listen.
    pub fn embedded(&self) -> &Embedded {
        &self.embedded
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.settings.insert(name.to_owned(), value.to_owned());
    }

    /// Starts the server, again where it ends before it serves: it looks for ports for its parts before they listen
    /// there, and breaks down where another program takes one meanwhile (issue 581 of temporalio/cli).
    pub fn start_server(&mut self) {
        let program = self.embedded.temporal(temporal());
        let mut server = self.spawn(&program);
        wait_until("Temporal serves", || {
            if server.has_ended() {
                eprintln!("Temporal's dev server broke down as it started; here is another");
                server = self.spawn(&program);
            }
            server.poll().unwrap();
            server.is_ready() && self.server_is_whole()
        });
        self.processes.insert(TEMPORAL, server);
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
        let mut process = self.spawn(&self.embedded.program(worker, &program(worker)));
        await_ready(worker, &mut process);
        self.processes.insert(worker, process);
    }

    /// Starts a worker in the place of the transcription worker that hears nothing, at once.
    pub fn start_noop_recogniser(&mut self) {
        self.start_worker(NOOP_RECOGNISER);
    }

    fn spawn(&self, program: &Program) -> Process {
        let mut command = program.command();
        command.envs(&self.settings).env_remove("OPENAI_API_KEY");
        Process::start(command, &self.log_path(program.name), program.readiness).unwrap()
    }

    /// As `kill -9`, and the process is gone when this returns.
    pub fn kill(&mut self, worker: &str) {
        self.processes.remove(worker).unwrap().kill().unwrap();
    }

    /// Asks a worker or a service to stop, and waits until it has ended by itself.
    pub fn stop(&mut self, worker: &str) {
        self.processes[worker].terminate();
        wait_until(&format!("{worker} has ended"), || self.processes[worker].has_ended());
        self.processes.remove(worker);
    }

    pub fn kill_server(&mut self) {
        self.kill(TEMPORAL);
    }

    /// The server hangs: connections stay open, and nothing is answered.
    pub fn pause_server(&self) {
        self.signal_server("-STOP");
    }

    pub fn resume_server(&self) {
        self.signal_server("-CONT");
    }

    fn signal_server(&self, signal: &str) {
        let pid = self.pid(TEMPORAL).to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success(), "{signal} {pid}");
    }

    /// The process of something that was started.
    pub fn pid(&self, name: &str) -> u32 {
        self.processes[name].id()
    }

    /// Whether everything that was started still runs.
    pub fn all_alive(&self) -> bool {
        !self.processes.values().any(Process::has_ended)
    }

    /// Of a worker or a service that runs.
    pub fn process_id(&self, name: &str) -> u32 {
        self.processes[name].id()
    }

    pub fn log_of(&self, name: &str) -> String {
        std::fs::read_to_string(self.log_path(name)).unwrap_or_default()
    }

    fn log_path(&self, name: &str) -> PathBuf {
        log_path(self.folder(), name)
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
        command.envs(self.embedded.environment()).envs(&self.settings).stdin(Stdio::null());
        command
    }

    /// The Temporal CLI, set up for this stack.
    pub fn temporal(&self, arguments: &[&str]) -> Output {
        Command::new(temporal()).args(arguments).envs(self.embedded.environment()).output().unwrap()
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
            for name in self.processes.keys() {
                eprintln!("--- the end of {name}'s log\n{}", last_lines(&self.log_path(name), LOG_LINES));
            }
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
