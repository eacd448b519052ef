//! One process, from its start to its end.

use std::{
    fs::File,
    io,
    net::{Ipv4Addr, TcpStream},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
};

use tasks::process_group::{has_ended, kill_group, spawn, terminate_group};

use crate::{log::LogReader, program::Readiness};

/// Killed when dropped.
pub struct Process {
    child: Child,
    readiness: Readiness,
    is_ready: bool,
    log: LogReader,
    /// How it ended. Its number may be that of another process then.
    status: Option<ExitStatus>,
}

impl Process {
    /// Starts a program whose output goes to the end of the log. It does not outlive this one, however this one ends.
    pub fn start(mut command: Command, log: &Path, readiness: Readiness) -> io::Result<Self> {
        let output = File::options().create(true).append(true).open(log)?;
        let log = LogReader::at_end(log)?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        Ok(Self { child: spawn(command)?, readiness, is_ready: false, log, status: None })
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Takes notice of whether it serves by now, and gives what it has written since the last time, line by line.
    pub fn poll(&mut self) -> io::Result<Vec<String>> {
        // Asked before its log is read: nothing is added to it then.
        let is_over = self.has_ended();
        let lines = self.log.lines(is_over)?;
        self.is_ready = self.is_ready
            || match self.readiness {
                Readiness::Port(port) => !is_over && TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok(),
                Readiness::Line(sign) => lines.iter().any(|line| line.contains(sign)),
            };
        Ok(lines)
    }

    /// Whether it served when it was last polled, or earlier.
    pub fn is_ready(&self) -> bool {
        self.is_ready
    }

    pub fn has_ended(&self) -> bool {
        self.status.is_some() || has_ended(&self.child)
    }

    /// Asks it, and all that it started, to stop.
    pub fn terminate(&self) {
        if self.status.is_none() {
            terminate_group(&self.child);
        }
    }

    /// Kills it and all that it started, as far as they are still there. They are gone when this returns; it tells how
    /// the process ended, be it long ago.
    pub fn kill(&mut self) -> io::Result<ExitStatus> {
        if let Some(status) = self.status {
            return Ok(status);
        }
        let status = kill_group(&mut self.child)?;
        self.status = Some(status);
        Ok(status)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Nobody is left who could do anything about it.
        self.kill().ok();
    }
}
