//! `cargo xtask dev`: the embedded stack in the foreground, until Ctrl-C.

use std::{
    env,
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

use anyhow::Context;
use supervisor::{
    Embedded, Ports, Stack,
    embedded::{SERVICES, WORKERS},
};
use tasks::{Halt, Interrupt, output::say};

use crate::{
    console::{Console, Detail},
    flags::DevFlags,
    programs::ALL_PROGRAMS,
    setup,
};

/// Ctrl-C is the way to end it, and no error.
pub(crate) fn run(flags: &DevFlags) -> anyhow::Result<()> {
    let tools = setup::run(&ALL_PROGRAMS)?;
    let data = data_folder()?;
    let lock = claim(&data)?;
    let ports = Ports::choose(flags.port)?;
    if flags.port.is_none() && !ports.is_default() {
        say(format_args!("the usual ports are taken; Temporal listens on {} instead", ports.server));
    }
    let embedded = Embedded { ports, database: data.join("temporal.db"), store: None };
    let programs = tools.stack(&embedded, &[&WORKERS[..], &SERVICES].concat())?;
    let console = Console::new(&programs, Detail::Full);
    let interrupt = Interrupt::catch()?;
    let logs = data.join("logs");
    let mut stack = Stack::new(programs, &logs, |event| console.show(event))?;
    say(format_args!("logs also go to {}", logs.display()));
    keep_up(&mut stack, &embedded, &interrupt)?;
    stack.stop();
    lock.unlock().context("the data folder cannot be released")
}

fn keep_up(stack: &mut Stack<'_>, embedded: &Embedded, interrupt: &Interrupt) -> anyhow::Result<()> {
    let mut announced = false;
    while !interrupt.is_raised() {
        stack.tick()?;
        if stack.is_ready() && !announced {
            announce(embedded);
            announced = true;
        }
    }
    Ok(())
}

fn announce(embedded: &Embedded) {
    say(format_args!("everything is up: {}", embedded.status_url()));
    say(format_args!("Temporal's web interface: {}", embedded.web_interface()));
    if !embedded.ports.is_default() {
        say(format_args!("for other terminals: export TEMPORAL_ADDRESS={}", embedded.address()));
    }
}

/// Where jobs and logs outlive a run: the folder in which the programs keep their store by default.
fn data_folder() -> anyhow::Result<PathBuf> {
    let named = env::var_os("XDG_DATA_HOME").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let home = || env::home_dir().map(|home| home.join(".local/share"));
    let folder = named.or_else(home).context("there is no home folder: set XDG_DATA_HOME")?.join("longhand");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create the data folder {}", folder.display()))?;
    Ok(folder)
}

/// Two servers on one database would spoil it.
fn claim(data: &Path) -> anyhow::Result<File> {
    let path = data.join("dev.lock");
    let lock = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(Halt::ActionRequired(format!(
            "`cargo xtask dev` is running already with the data in {}: use that one, or set XDG_DATA_HOME to \
             another folder",
            data.display()
        ))
        .into()),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock {}", path.display())),
    }
}
