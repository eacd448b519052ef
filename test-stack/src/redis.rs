//! A real Redis, for the tests of what can do without one.

use std::process::Command;

use supervisor::{Process, Readiness};
use tasks::packages::answers;
use tempfile::TempDir;

use crate::{await_ready, free_port};

pub struct Redis {
    port: u16,
    process: Process,
    folder: TempDir,
}

impl Redis {
    /// `None`, with a word about it, where there is no redis-server.
    pub fn start() -> Option<Self> {
        if !answers("redis-server", &["--version"]) {
            assert!(std::env::var_os("CI").is_none(), "redis-server is missing");
            eprintln!("skipped: there is no redis-server; install Debian's redis-server");
            return None;
        }
        let (port, folder) = (free_port(), TempDir::new().unwrap());
        Some(Self { port, process: serve(port, &folder), folder })
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub fn kill(&mut self) {
        self.process.kill().unwrap();
    }

    /// On the same port, and empty.
    pub fn start_again(&mut self) {
        self.process = serve(self.port, &self.folder);
    }
}

fn serve(port: u16, folder: &TempDir) -> Process {
    let mut command = Command::new("redis-server");
    command.args(["--port", &port.to_string(), "--save", "", "--bind", "127.0.0.1"]);
    let mut process = Process::start(command, &folder.path().join("log"), Readiness::Port(port)).unwrap();
    await_ready("Redis", &mut process);
    process
}
