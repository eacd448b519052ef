//! Programs in process groups of their own, which end with the one that started them.

use std::{
    io,
    os::unix::process::CommandExt,
    process::{Child, Command, ExitStatus},
    sync::{
        LazyLock,
        mpsc::{self, Sender},
    },
    thread,
};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// Gives the command a process group of its own, which Ctrl-C does not reach, and ties its life to this thread's:
/// the kernel kills it when this thread ends, however that comes. For what this thread waits for.
pub fn tether(command: &mut Command) -> &mut Command {
    let parent = rustix::process::getpid();
    // SAFETY: between fork and exec only system calls are made, and nothing is allocated.
    unsafe { command.process_group(0).pre_exec(move || die_with(parent)) }
}

/// Starts a tethered process that ends with this one, and not with the thread that asks for it: one thread that never ends
/// starts them all.
pub fn spawn(command: Command) -> io::Result<Child> {
    type Order = (Command, Sender<io::Result<Child>>);
    static STARTER: LazyLock<Sender<Order>> = LazyLock::new(|| {
        let (sender, orders) = mpsc::channel::<Order>();
        thread::spawn(move || {
            for (mut command, answer) in orders {
                // Whoever asked waits for the answer, or is gone.
                answer.send(tether(&mut command).spawn()).ok();
            }
        });
        sender
    });
    let (answer, started) = mpsc::channel();
    STARTER.send((command, answer)).map_err(io::Error::other)?;
    started.recv().map_err(io::Error::other)?
}

/// Asks the process and all that it started to stop.
pub fn terminate_group(child: &Child) {
    signal_group(child, Signal::TERM);
}

/// Kills the process and all that it started, as far as they are still there.
pub fn kill_group(child: &mut Child) -> io::Result<ExitStatus> {
    signal_group(child, Signal::KILL);
    child.wait()
}

/// Whether the process has ended; it stays a zombie, so that nothing else can get its number yet.
pub fn has_ended(child: &Child) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    matches!(waitid(WaitId::Pid(Pid::from_child(child)), options), Ok(Some(_)) | Err(_))
}

fn die_with(parent: Pid) -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    // The parent may have died just before the kernel was told.
    if rustix::process::getppid() == Some(parent) { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
}

/// A group without a living member cannot be signalled, and need not be.
fn signal_group(child: &Child, signal: Signal) {
    kill_process_group(Pid::from_child(child), signal).ok();
}
