//! How the threads of the native libraries wait for each other.

use std::{ffi::OsStr, os::unix::process::CommandExt, process::Command};

/// How often a thread looks before it goes to sleep. Where other programs want the processor, threads that look for
/// long, as they do by default, take it from the very threads they wait for: chunks took six times as long. On an idle
/// machine so many looks are as fast as the default.
const LOOKS: (&str, &str) = ("GOMP_SPINCOUNT", "1000");
/// Whoever sets this has chosen otherwise.
const CHOICE: &str = "OMP_WAIT_POLICY";

/// Sets how long threads wait actively, unless the user has. libgomp reads that before `main`, so the program starts
/// itself once more. To be called first, before there are threads.
pub fn let_threads_sleep() {
    let is_set = |name: &str| std::env::var_os(name).is_some();
    if is_set(LOOKS.0) || is_set(CHOICE) {
        return;
    }
    let mut arguments = std::env::args_os();
    let name = arguments.next();
    let Ok(program) = std::env::current_exe() else { return };
    let mut command = Command::new(program);
    command.arg0(name.as_deref().unwrap_or(OsStr::new(""))).args(arguments).env(LOOKS.0, LOOKS.1);
    // It returns only where it fails, and then the program goes on as it was started: slower at worst.
    drop(command.exec());
}
