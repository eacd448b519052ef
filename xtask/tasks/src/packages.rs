//! System packages. What counts is what the machine can do, not what its package manager believes to be installed.

use std::{
    fs::File,
    io,
    process::{ChildStderr, Command, Stdio},
    thread::{self, JoinHandle},
    time::Instant,
};

use anyhow::Context;

use crate::{Halt, StatusLine, output::say, watch};

const APT_FOLDER: &str = "/var/lib/apt";

/// Something that a task uses, and the Debian package that brings it.
pub struct Need {
    pub purpose: &'static str,
    pub package: &'static str,
    pub is_met: fn() -> bool,
}

/// Installs what is missing as root on Debian and Ubuntu; elsewhere tells the user.
///
/// # Errors
/// [`Halt::ActionRequired`] with the exact command where this process may not install, or a package that did not help.
pub fn ensure(needs: &[Need]) -> anyhow::Result<()> {
    let missing: Vec<&Need> = needs.iter().filter(|need| !(need.is_met)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let purposes: Vec<&str> = missing.iter().map(|need| need.purpose).collect();
    say(format_args!("missing on this machine: {}", purposes.join(", ")));
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    if !can_install() {
        return Err(Halt::ActionRequired(format!("{}, then run this again", instruction(&packages))).into());
    }
    let alone = wait_for_others()?;
    // Whoever held the lock may have installed the same.
    if missing.iter().any(|need| !(need.is_met)()) {
        install(&packages)?;
    }
    drop(alone);
    match missing.iter().find(|need| !(need.is_met)()) {
        Some(need) => {
            anyhow::bail!("{} is still missing after installing {}; install it by hand", need.purpose, need.package)
        }
        None => Ok(()),
    }
}

/// Whether [`ensure`] may install packages itself.
pub fn can_install() -> bool {
    has_apt() && rustix::process::geteuid().is_root()
}

/// The exact command, or what to look for where there is no such command.
pub fn instruction(packages: &[&str]) -> String {
    instruction_for(packages, has_apt())
}

/// Whether the program runs with these arguments and succeeds.
pub fn answers(program: &str, arguments: &[&str]) -> bool {
    let quiet =
        Command::new(program).args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    quiet.is_ok_and(|status| status.success())
}

fn has_apt() -> bool {
    answers("apt-get", &["--version"])
}

fn instruction_for(packages: &[&str], has_apt: bool) -> String {
    let packages = packages.join(" ");
    if has_apt {
        format!("sudo apt-get install {packages}")
    } else {
        format!("install what your system calls these Debian packages: {packages}")
    }
}

/// One installs at a time: apt-get waits for others where it installs, but not where it updates its lists. The lock ends
/// with the file, which is apt's own folder: nobody else can put another thing in its place.
fn wait_for_others() -> anyhow::Result<File> {
    let lock = File::open(APT_FOLDER).with_context(|| format!("{APT_FOLDER} cannot be opened"))?;
    lock.lock().with_context(|| format!("{APT_FOLDER} cannot be locked"))?;
    Ok(lock)
}

fn install(packages: &[&str]) -> anyhow::Result<()> {
    say(format_args!("installing system packages: {}", packages.join(" ")));
    apt_get(&["update"])?;
    apt_get(&[&["install", "--yes", "--no-install-recommends"], packages].concat())
}

fn apt_get(arguments: &[&str]) -> anyhow::Result<()> {
    let mut child = Command::new("apt-get")
        .args(["-qq", "-o", "DPkg::Lock::Timeout=300", "-o", "APT::Status-Fd=1"])
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("apt-get cannot be run")?;
    let complaint = child.stderr.take().map(read);
    if let Some(stdout) = child.stdout.take() {
        let (mut status_line, started) = (StatusLine::default(), Instant::now());
        let mut step = "apt-get is at work".to_owned();
        watch(stdout, |line| {
            step = line.and_then(progress).unwrap_or_else(|| step.clone());
            status_line.show(format_args!("system packages: {} s: {step}", started.elapsed().as_secs()));
        });
        status_line.clear();
    }
    let complaint = complaint.and_then(|reader| reader.join().ok()).unwrap_or_default();
    anyhow::ensure!(child.wait()?.success(), "apt-get {} failed:\n{complaint}", arguments.join(" "));
    Ok(())
}

fn read(stderr: ChildStderr) -> JoinHandle<String> {
    thread::spawn(|| io::read_to_string(stderr).unwrap_or_default())
}

/// Reads one of apt's status lines, as in `pmstatus:cmake:43.75:Unpacking cmake`.
fn progress(line: &str) -> Option<String> {
    let mut fields = line.splitn(4, ':');
    let kind = fields.next()?;
    let (_, percent, doing) = (fields.next()?, fields.next()?, fields.next()?);
    let percent = percent.split('.').next()?;
    ["dlstatus", "pmstatus"].contains(&kind).then(|| format!("{percent} %: {doing}"))
}

#[cfg(test)]
mod tests {
    use super::{instruction_for, progress};

    #[test]
    fn the_user_is_told_the_exact_command() {
        for (has_apt, expected) in [
            (true, "sudo apt-get install cmake make"),
            (false, "install what your system calls these Debian packages: cmake make"),
        ] {
            assert_eq!(instruction_for(&["cmake", "make"], has_apt), expected);
        }
    }

    #[test]
    fn apt_tells_how_far_it_is() {
        for (line, expected) in [
            ("dlstatus:1:20.3:Retrieving file 3 of 10", Some("20 %: Retrieving file 3 of 10")),
            ("pmstatus:cmake:43.7500:Unpacking cmake (amd64)", Some("43 %: Unpacking cmake (amd64)")),
            ("Selecting previously unselected package cmake.", None),
        ] {
            assert_eq!(progress(line).as_deref(), expected, "{line}");
        }
    }
}
