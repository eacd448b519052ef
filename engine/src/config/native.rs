//! How the C libraries below the recognisers and the language model wait for their threads and keep their memory.

use std::{ffi::OsStr, os::unix::process::CommandExt, process::Command};

/// How often a thread looks before it goes to sleep. Where other programs want the processor, threads that look for
/// long, as they do by default, take it from the very threads they wait for: chunks took six times as long. On an idle
/// machine so many looks are as fast as the default.
const LOOKS: (&str, &str) = ("GOMP_SPINCOUNT", "1000");
/// Bytes of a buffer that goes back to the system when it is freed. By default glibc raises this as it sees fit, and
/// keeps what it has seen: a transcription worker that had run all kinds of jobs held 431 MB, and with this 341 MB.
/// CTranslate2 takes and frees large buffers at every step, and would take 1.6 times as long with it.
const RETURNED: (&str, &str) = ("MALLOC_MMAP_THRESHOLD_", "1048576");
/// Places in which glibc keeps freed buffers. By default there are eight to a core, and each keeps the most that its
/// threads once had: a transcription worker with CTranslate2 held 636 MB, and with one to a core 596 MB, as fast.
const KEPT_IN: &str = "MALLOC_ARENA_MAX";
/// A variable with which the user has chosen how threads wait.
const WAITING: &str = "OMP_WAIT_POLICY";

/// What becomes of large buffers that the libraries free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freed {
    /// The system gets them back: for libraries that keep what they work with.
    Returned,
    /// As glibc sees fit, but in no more places than there are cores: for libraries that take large buffers at every step.
    Kept,
}

/// Settles both, unless the user has. The libraries read it before `main`, so the program starts itself once more. To
/// be called first, before there are threads.
pub fn settle_native_libraries(freed: Freed) {
    let is_set = |name: &str| std::env::var_os(name).is_some();
    let memory = match freed {
        Freed::Returned => (RETURNED.0, RETURNED.1.to_owned()),
        Freed::Kept => (KEPT_IN, std::thread::available_parallelism().map_or(1, usize::from).to_string()),
    };
    let looks = (LOOKS.0, LOOKS.1.to_owned());
    let wanted = [(!is_set(WAITING)).then_some(looks), Some(memory)];
    let missing: Vec<_> = wanted.into_iter().flatten().filter(|(name, _)| !is_set(name)).collect();
    if missing.is_empty() {
        return;
    }
    let mut arguments = std::env::args_os();
    let name = arguments.next();
    let Ok(program) = std::env::current_exe() else { return };
    let mut command = Command::new(program);
    command.arg0(name.as_deref().unwrap_or(OsStr::new(""))).args(arguments).envs(missing);
    // It returns only where it fails, and then the program goes on as it was started: slower at worst.
    drop(command.exec());
}
