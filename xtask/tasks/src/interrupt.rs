//! Ctrl-C and requests to terminate, as a flag that long work looks at.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use anyhow::Context;
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    flag,
};

use crate::Halt;

pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// From here on the first signal raises the flag; a second one ends the process at once, and the kernel
    /// takes its children down with it.
    pub fn catch() -> anyhow::Result<Self> {
        let raised = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            flag::register_conditional_shutdown(signal, 130, Arc::clone(&raised))
                .and_then(|_| flag::register(signal, Arc::clone(&raised)))
                .context("cannot catch signals")?;
        }
        Ok(Self(raised))
    }

    pub fn is_raised(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// # Errors
    /// [`Halt::Interrupted`] once the flag is up.
    pub fn check(&self) -> Result<(), Halt> {
        if self.is_raised() { Err(Halt::Interrupted) } else { Ok(()) }
    }
}
