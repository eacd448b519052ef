//! A program that ends with the worker, however that comes, and whose words go to the log.

use std::{
    io::{self, BufRead, BufReader, Read},
    os::{fd::OwnedFd, unix::process::CommandExt},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal, set_parent_process_death_signal};
use tokio::sync::{oneshot, watch};

/// A running program; it is killed when this is dropped.
pub(super) struct Process {
    handle: OwnedFd,
    end: watch::Receiver<Option<End>>,
}

/// How a program ended.
#[derive(Debug, Clone)]
pub(super) struct End {
    pub(super) status: Option<ExitStatus>,
    /// The first error that it complained of; those after it are mostly its consequences.
    pub(super) complaint: Option<String>,
}

impl Process {
    /// Starts the program in a process group of its own: Ctrl-C and a service manager's signals are for the worker.
    pub(super) async fn start(mut command: Command) -> io::Result<Self> {
        let (started, starting) = oneshot::channel();
        let (ended, end) = watch::channel(None);
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        end_with_parent(&mut command);
        // The kernel ties the program's life to the thread that starts it, so that one waits for it, too.
        thread::Builder::new().name("llama-server".to_owned()).spawn(move || match start(command) {
            Err(error) => drop(started.send(Err(error))),
            Ok((mut child, handle)) => {
                drop(started.send(Ok(handle)));
                let complaint = child.stderr.take().and_then(log);
                ended.send_replace(Some(End { status: child.wait().ok(), complaint }));
            }
        })?;
        let handle = starting.await.map_err(io::Error::other)??;
        Ok(Self { handle, end })
    }

    /// How it ended, if it did.
    pub(super) fn end(&self) -> Option<End> {
        self.end.borrow().clone()
    }

    /// Waits until it has ended.
    pub(super) async fn wait(&self) -> End {
        let mut end = self.end.clone();
        let ended = end.wait_for(Option::is_some).await.ok().and_then(|end| end.clone());
        ended.unwrap_or(End { status: None, complaint: None })
    }

    /// Kills it, if it still runs.
    pub(super) fn kill(&self) {
        // The handle is this process's and no other's, also when its number has been given to another one.
        if let Err(error) = pidfd_send_signal(&self.handle, Signal::KILL) {
            tracing::trace!(%error, "the process has ended before");
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn start(mut command: Command) -> io::Result<(Child, OwnedFd)> {
    let mut child = command.spawn()?;
    match pidfd_open(Pid::from_child(&child), PidfdFlags::empty()) {
        Ok(handle) => Ok((child, handle)),
        Err(error) => {
            child.kill()?;
            Err(error.into())
        }
    }
}

fn end_with_parent(command: &mut Command) {
    let parent = rustix::process::getpid();
    let tie = move || {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        // The parent may have died just before the kernel was told.
        if rustix::process::getppid() == Some(parent) { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
    };
    // SAFETY: between fork and exec only system calls are made, and nothing is allocated.
    unsafe { command.pre_exec(tie) };
}

/// Logs what the program says until it ends, whatever bytes that are, and gives the first error.
fn log(output: impl Read) -> Option<String> {
    let mut error = None;
    for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        tracing::debug!(target: "llama.cpp", "{line}");
        if line.to_lowercase().contains("error") {
            error.get_or_insert_with(|| line.into_owned());
        }
    }
    error
}
