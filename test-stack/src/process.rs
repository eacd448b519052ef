//! Other processes: where their programs are, how long they are waited for, and ports for them.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use supervisor::Process;

/// How long anything may take before the test says what it waited for.
const PATIENCE: Duration = Duration::from_secs(240);

/// Waits for a condition that another process brings about.
pub fn wait_until(what: &str, mut satisfied: impl FnMut() -> bool) {
    let started = Instant::now();
    while !satisfied() {
        assert!(started.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A port that nobody else is given for a minute.
pub fn free_port() -> u16 {
    tasks::free_port().unwrap()
}

/// Waits until a process serves.
///
/// # Panics
/// Where it ends instead.
pub fn await_ready(name: &str, process: &mut Process) {
    wait_until(&format!("{name} is ready"), || {
        assert!(!process.has_ended(), "{name} ended as it started");
        process.poll().unwrap();
        process.is_ready()
    });
}

/// A program of Longhand, as cargo leaves it one folder above the tests.
pub fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let program = test.parent().and_then(Path::parent).unwrap().join(name);
    assert!(program.exists(), "{name} is not built; run the tests with `cargo xtask test`");
    program
}
