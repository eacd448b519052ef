//! The supervisor with real, tiny processes.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::{Event, Program, Readiness, Stack};

/// Far more than anything here takes, so that a hang fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(30);

fn shell(name: &str, stage: usize, script: &str) -> Program {
    Program {
        name: name.to_owned(),
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
    let mut stack = Stack::new(programs, |event| events.push(label(event)));
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
    let mut stack = Stack::new(vec![shell("broken", 0, "exit 1")], |_| ());
    tick_until(&mut stack, |stack| stack.crash_looping().is_some());
    assert_eq!(stack.crash_looping(), Some("broken"));
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
fn a_program_that_is_not_there_is_an_error() {
    let program = Program { path: PathBuf::from("/nowhere/tool"), ..shell("tool", 0, "") };
    let error = Stack::new(vec![program], |_| ()).tick().unwrap_err();
    assert_eq!(error.to_string(), "tool cannot be started: /nowhere/tool");
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
    let mut stack = Stack::new(vec![shell("parent", 0, &script)], |_| ());
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
