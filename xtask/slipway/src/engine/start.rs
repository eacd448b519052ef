//! Starts and stops the engine: through systemd where that runs, else as a process of its own.

use std::{
    fs::{self, File},
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process, setsid};
use tasks::output::say;

use crate::buildkit::Engine;

const LOG: &str = "/var/log/dockerd.log";
const PID_FILE: &str = "/var/run/docker.pid";
const SETTINGS: &str = "/etc/docker/daemon.json";
/// With containerd's image store, a build's cache can be exported anywhere.
const FIRST_SETTINGS: &str = "{\"features\": {\"containerd-snapshotter\": true}}\n";
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(250);

pub(super) fn start() -> Result<()> {
    if !Path::new(SETTINGS).exists() {
        fs::create_dir_all("/etc/docker").context("/etc/docker cannot be made")?;
        fs::write(SETTINGS, FIRST_SETTINGS).with_context(|| format!("{SETTINGS} cannot be written"))?;
    }
    if systemd_runs() { systemctl("start") } else { spawn_daemon() }
}

pub(super) fn stop() -> Result<()> {
    if systemd_runs() {
        return systemctl("stop");
    }
    let Some(pid) = running_daemon() else {
        say(format_args!("no engine runs that this command could have started"));
        return Ok(());
    };
    kill_process(pid, Signal::TERM).context("the engine cannot be stopped")?;
    let deadline = Instant::now() + PATIENCE;
    while running_daemon() == Some(pid) {
        if Instant::now() > deadline {
            bail!("the engine (process {}) does not stop; see {LOG}", pid.as_raw_nonzero());
        }
        std::thread::sleep(POLL);
    }
    say(format_args!("the engine has stopped"));
    Ok(())
}

pub(super) async fn wait_until_ready() -> Result<Engine> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match Engine::connect().await {
            Ok(engine) => return Ok(engine),
            Err(error) if Instant::now() > deadline => {
                return Err(error.context(format!("the engine was started and does not answer; see {LOG}")));
            }
            Err(_) => tokio::time::sleep(POLL).await,
        }
    }
}

/// The process that the pid file names, if it is the engine still. One that was killed leaves its
/// file behind, and its number may belong to any other process by now.
fn running_daemon() -> Option<Pid> {
    let pid = Pid::from_raw(fs::read_to_string(PID_FILE).ok()?.trim().parse().ok()?)?;
    let program = fs::read_link(format!("/proc/{}/exe", pid.as_raw_nonzero())).ok()?;
    program.ends_with("dockerd").then_some(pid)
}

fn systemd_runs() -> bool {
    Path::new("/run/systemd/system").is_dir()
}

fn systemctl(verb: &str) -> Result<()> {
    let status = Command::new("systemctl").args([verb, "docker"]).status().context("systemctl cannot be run")?;
    if !status.success() {
        bail!("`systemctl {verb} docker` failed; see `journalctl -u docker`");
    }
    Ok(())
}

/// In a session of its own, so that it outlives this program and its terminal.
fn spawn_daemon() -> Result<()> {
    if running_daemon().is_some() {
        // It is on its way up or down; the caller waits for it.
        return Ok(());
    }
    if Path::new(PID_FILE).exists() {
        fs::remove_file(PID_FILE).with_context(|| format!("{PID_FILE} is stale and cannot be removed"))?;
    }
    let log =
        File::options().create(true).append(true).open(LOG).with_context(|| format!("{LOG} cannot be written"))?;
    let mut command = Command::new("dockerd");
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    // SAFETY: setsid is safe to call between fork and exec.
    unsafe {
        command.pre_exec(|| Ok(setsid().map(drop)?));
    }
    command.spawn().context("dockerd cannot be run")?;
    Ok(())
}
