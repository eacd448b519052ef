//! The supervisor with real, tiny processes.

#![cfg(test)]

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use supervisor::{Event, Process, Program, Readiness, Stack, log_path};
use tasks::Interrupt;

/// Far more than anything here takes, so that a hang fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(30);

fn shell(name: &'static str, stage: usize, script: &str) -> Program {
    Program {
        name,
        path: PathBuf::from("/bin/sh"),
        arguments: ["-c", script].map(Into::into).to_vec(),
        environment: Vec::new(),
        readiness: Readiness::Line("ready"),
        stage,
    }
}

/// Names an event as `process: what`.
fn label(event: &Event) -> String {
    match event {
        Event::Starting { process } => format!("{process}: starting"),
        Event::Ready { process, .. } => format!("{process}: ready"),
        Event::Log { process, line } => format!("{process}: | {line}"),
        Event::Crashed { process, status, .. } => format!("{process}: crashed {}", status.code().unwrap_or(-1)),
        Event::Stopping { process } => format!("{process}: stopping"),
        Event::Stopped { process, killed } => format!("{process}: {}", if *killed { "killed" } else { "stopped" }),
    }
}

fn tick_until(stack: &mut Stack<'_>, reached: impl Fn(&Stack<'_>) -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !reached(stack) {
        assert!(Instant::now() < deadline, "the stack did not get there");
        stack.tick().unwrap();
    }
}

/// Runs until everything is ready, stops, and gives all that was told.
fn run(programs: Vec<Program>) -> Vec<String> {
    let mut events = Vec::new();
    let logs = tempfile::tempdir().unwrap();
    let mut stack = Stack::new(programs, logs.path(), |event| events.push(label(event))).unwrap();
    tick_until(&mut stack, |stack| stack.is_ready());
    stack.stop();
    drop(stack);
    events
}

/// The request to stop reaches the sleep as well, about which the shell would complain.
const SERVE: &str = "exec 2>/dev/null; trap 'exit 0' TERM; echo ready; while :; do sleep 0.01; done";

#[test]
fn stages_start_one_after_the_other_and_stop_the_other_way_round() {
    let events = run(vec![shell("worker", 1, SERVE), shell("server", 0, SERVE)]);
    assert_eq!(
        events,
        [
            "server: starting",
            "server: | ready",
            "server: ready",
            "worker: starting",
            "worker: | ready",
            "worker: ready",
            "worker: stopping",
            "worker: stopped",
            "server: stopping",
            "server: stopped",
        ]
    );
}

#[test]
fn a_process_that_crashes_is_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("crashed");
    // The first run leaves a mark and fails; the second one finds it and serves.
    let script = format!("if mkdir {0} 2>/dev/null; then echo once >&2; exit 7; fi; {SERVE}", mark.display());
    assert_eq!(
        run(vec![shell("worker", 0, &script)]),
        [
            "worker: starting",
            "worker: | once",
            "worker: crashed 7",
            "worker: starting",
            "worker: | ready",
            "worker: ready",
            "worker: stopping",
            "worker: stopped",
        ]
    );
}

#[test]
fn a_process_that_never_comes_up_is_reported_as_hopeless() {
    let logs = tempfile::tempdir().unwrap();
    let broken = shell("broken", 0, "echo no such luck; exit 1");
    let mut stack = Stack::new(vec![broken], logs.path(), |_| ()).unwrap();
    let error = stack.await_ready(&Interrupt::catch().unwrap()).unwrap_err();
    let log = ["no such luck"; 3].join("\n");
    assert_eq!(error.to_string(), format!("broken does not come up; the end of its log:\n{log}"));
}

#[test]
fn a_port_that_accepts_is_ready() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let readiness = Readiness::Port(listener.local_addr().unwrap().port());
    let quiet = "trap 'exit 0' TERM; while :; do sleep 0.01; done";
    let events = run(vec![Program { readiness, ..shell("server", 0, quiet) }]);
    assert_eq!(events[..2], ["server: starting", "server: ready"]);
}

#[test]
fn a_command_runs_while_the_stack_is_kept_up() {
    let (logs, mark) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mark = mark.path().join("started-again");
    let script = format!("if mkdir {0} 2>/dev/null; then exit 1; fi; {SERVE}", mark.display());
    let mut stack = Stack::new(vec![shell("worker", 0, &script)], logs.path(), |_| ()).unwrap();
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "until grep --quiet ready \"$0\"; do sleep 0.01; done; echo seen; exit 3"]);
    command.arg(logs.path().join("worker.log"));
    let output = stack.run(&mut command, &Interrupt::catch().unwrap()).unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(3), &b"seen\n"[..]));
}

#[test]
fn a_program_that_is_not_there_is_an_error() {
    let program = Program { path: PathBuf::from("/nowhere/tool"), ..shell("tool", 0, "") };
    let logs = tempfile::tempdir().unwrap();
    let error = Stack::new(vec![program], logs.path(), |_| ()).unwrap().tick().unwrap_err();
    assert_eq!(error.to_string(), "tool cannot be started: /nowhere/tool");
}

#[test]
fn a_process_outlives_the_thread_that_starts_it() {
    let logs = tempfile::tempdir().unwrap();
    let program = shell("server", 0, SERVE);
    let log = log_path(logs.path(), program.name);
    let start = move || Process::start(program.command(), &log, program.readiness).unwrap();
    let mut process = thread::spawn(start).join().unwrap();
    let deadline = Instant::now() + PATIENCE;
    while !process.is_ready() {
        assert!(Instant::now() < deadline && !process.has_ended(), "it does not get ready");
        process.poll().unwrap();
    }
    assert!(!process.kill().unwrap().success());
    assert!(process.has_ended());
}

#[test]
fn nothing_is_left_when_the_stack_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let pids = folder.path().join("pids");
    // A descendant that ignores the request to stop, in a process that does not wait for it.
    let script = format!(
        "(trap '' TERM; while :; do sleep 0.01; done) & echo $! > {0}; echo $$ >> {0}; {SERVE}",
        pids.display()
    );
    let mut stack = Stack::new(vec![shell("parent", 0, &script)], folder.path(), |_| ()).unwrap();
    tick_until(&mut stack, |stack| stack.is_ready());
    let pids: Vec<String> = fs::read_to_string(&pids).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(pids.len(), 2);
    assert!(pids.iter().all(|pid| is_alive(pid)));
    drop(stack);
    for pid in pids {
        let deadline = Instant::now() + PATIENCE;
        while is_alive(&pid) {
            assert!(Instant::now() < deadline, "process {pid} is still there");
        }
    }
}

/// A zombie waits only for whoever adopted it, and is no longer alive.
fn is_alive(pid: &str) -> bool {
    let status = fs::read_to_string(Path::new("/proc").join(pid).join("stat")).unwrap_or_default();
    let state = status.rsplit(") ").next().and_then(|rest| rest.chars().next());
    state.is_some_and(|state| state != 'Z')
}
