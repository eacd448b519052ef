//! A real Redis, for the tests of what can do without one.

use std::{
    net::TcpStream,
    process::{Child, Command, Stdio},
};

use crate::{free_port, spawn, wait_until};

pub struct Redis {
    port: u16,
    process: Child,
}

impl Redis {
    /// `None`, with a word about it, where there is no redis-server.
    pub fn start() -> Option<Self> {
        let found = Command::new("redis-server").arg("--version").stdout(Stdio::null()).status();
        if let Err(error) = found {
            assert!(std::env::var_os("CI").is_none(), "redis-server is missing: {error}");
            eprintln!("skipped: there is no redis-server ({error}); install Debian's redis-server");
            return None;
        }
        let port = free_port();
        Some(Self { port, process: serve(port) })
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// On the same port, and empty.
    pub fn start_again(&mut self) {
        self.process = serve(self.port);
    }
}

fn serve(port: u16) -> Child {
    let mut command = Command::new("redis-server");
    command.args(["--port", &port.to_string(), "--save", "", "--bind", "127.0.0.1"]).stdout(Stdio::null());
    let process = spawn(command);
    wait_until("Redis listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    process
}

impl Drop for Redis {
    fn drop(&mut self) {
        // One that was killed already is as good.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
