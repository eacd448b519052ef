//! A container engine of the bench's own, with folders of its own: it begins with nothing in its cache, and the
//! user's engine and cache are never touched. Its steps use the machine's network; it changes no firewall rule.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use tasks::{
    Halt, Interrupt, last_lines,
    packages::answers,
    process_group::{kill_group, tether},
};

use super::process::{SHOWN_LINES, output_of};
use crate::name::Name;

const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(50);
/// Collecting garbage while a build runs would be measured with it.
const SETTINGS: &str = r#"{"features": {"containerd-snapshotter": true}, "builder": {"gc": {"enabled": false}}}"#;
/// Begins the names of the bridges that benches make; the number of the bench's process follows.
const BRIDGE: &str = "lhbench";
const INTERFACES: &str = "/sys/class/net";
/// A cache mount, which belongs to no build alone.
const CACHE_MOUNT: &str = "exec.cachemount";
/// What was sent of a context, which the next build goes on from.
const CONTEXT: &str = "source.local";

pub(super) struct OwnEngine {
    folder: PathBuf,
    docker: PathBuf,
    /// In the order in which they are stopped.
    processes: Vec<Child>,
}

/// An entry of the engine's build cache.
#[derive(Debug, Deserialize)]
pub(super) struct CacheEntry {
    #[serde(rename = "ID")]
    pub(super) id: String,
    #[serde(rename = "Type")]
    kind: String,
}

/// # Errors
/// [`Halt::ActionRequired`] where this user or machine can start no engine.
pub(super) fn check_prerequisites() -> Result<(), Halt> {
    if !rustix::process::geteuid().is_root() {
        return Err(Halt::ActionRequired(
            "a bench starts an engine of its own, which only root can: run it as root".to_owned(),
        ));
    }
    let missing = ["dockerd", "containerd"].into_iter().find(|program| !answers(program, &["--version"]));
    missing.map_or(Ok(()), |program| {
        let advice = format!("install Docker Engine, on Debian and Ubuntu with `{} engine`", Name::typed());
        Err(Halt::ActionRequired(format!("a bench starts an engine of its own, and there is no {program}: {advice}")))
    })
}

impl OwnEngine {
    pub(super) fn start(folder: &Path, docker: &Path, interrupt: &Interrupt) -> Result<OwnEngine> {
        fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        fs::write(folder.join("daemon.json"), SETTINGS)?;
        let mut engine = OwnEngine { folder: folder.to_owned(), docker: docker.to_owned(), processes: Vec::new() };
        make_bridge()?;
        engine.start_containerd(interrupt)?;
        engine.start_dockerd(interrupt)?;
        Ok(engine)
    }

    /// Without one of its own the engine would share images and caches with whatever else uses the system's.
    fn start_containerd(&mut self, interrupt: &Interrupt) -> Result<()> {
        let mut command = Command::new("containerd");
        command.arg("--root").arg(self.folder.join("containerd")).arg("--state").arg(self.folder.join("state"));
        command.arg("--address").arg(self.containerd_socket());
        self.spawn(&mut command, "containerd")?;
        let socket = self.containerd_socket();
        self.wait_until("containerd", interrupt, || socket.exists())
    }

    fn start_dockerd(&mut self, interrupt: &Interrupt) -> Result<()> {
        let mut command = Command::new("dockerd");
        command.arg("--config-file").arg(self.folder.join("daemon.json"));
        command.arg("--data-root").arg(self.folder.join("data")).arg("--exec-root").arg(self.folder.join("exec"));
        command.arg("--pidfile").arg(self.folder.join("dockerd.pid")).arg("--containerd").arg(self.containerd_socket());
        command.args(["--host", &self.address(), "--bridge", &bridge_of(std::process::id())]);
        command.args(["--iptables=false", "--ip6tables=false", "--ip-forward=false"]);
        self.spawn(&mut command, "dockerd")?;
        let mut version = self.docker();
        version.arg("version").stdout(Stdio::null()).stderr(Stdio::null());
        self.wait_until("dockerd", interrupt, || version.status().is_ok_and(|status| status.success()))
    }

    fn spawn(&mut self, command: &mut Command, name: &str) -> Result<()> {
        let log = File::create(self.log(name))?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = tether(command).spawn().with_context(|| format!("{name} cannot be run"))?;
        self.processes.insert(0, child);
        Ok(())
    }

    fn wait_until(&mut self, name: &str, interrupt: &Interrupt, mut holds: impl FnMut() -> bool) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !holds() {
            interrupt.check()?;
            let has_ended = self.processes.first_mut().is_some_and(|child| !matches!(child.try_wait(), Ok(None)));
            if has_ended || Instant::now() > deadline {
                bail!("{name} does not start:\n{}", last_lines(&self.log(name), SHOWN_LINES));
            }
            thread::sleep(POLL);
        }
        Ok(())
    }

    /// The docker client for this engine.
    pub(super) fn docker(&self) -> Command {
        let mut command = Command::new(&self.docker);
        self.equip(&mut command);
        command
    }

    /// Points a program to this engine, with a memory that is as old as the engine.
    pub(super) fn equip(&self, command: &mut Command) {
        command.env("DOCKER_HOST", self.address()).env_remove("DOCKER_CONTEXT");
        command
            .env("DOCKER_BUILDKIT", "1")
            .env("BUILDX_BUILDER", "default")
            .env("BUILDX_CONFIG", self.folder.join("buildx"));
        for variable in ["XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "SLIPWAY_CACHE"] {
            command.env(variable, self.folder.join("memory"));
        }
    }

    /// Not asked with `docker system df`: that measures images, too, and fails when one goes away meanwhile.
    pub(super) fn cache_entries(&self) -> Result<Vec<CacheEntry>> {
        let listed = output_of(self.docker().args(["buildx", "du", "--format", "json"]))?;
        let entries: serde_json::Result<Vec<CacheEntry>> = listed.lines().map(serde_json::from_str).collect();
        entries.with_context(|| format!("the engine's cache list is not understood: {listed}"))
    }

    /// Forgets what was built since the earlier list was taken, or the disk would be full after some rounds.
    pub(super) fn forget_since(&self, earlier: &[CacheEntry]) -> Result<()> {
        let is_new = |entry: &&CacheEntry| !earlier.iter().any(|known| known.id == entry.id);
        let entries = self.cache_entries()?;
        let new = entries.iter().filter(is_new).filter(|entry| entry.kind != CACHE_MOUNT && entry.kind != CONTEXT);
        let mut command = self.docker();
        command.args(["buildx", "prune", "--force", "--all"]);
        let ids: Vec<&str> = new.map(|entry| entry.id.as_str()).collect();
        if ids.is_empty() {
            return Ok(());
        }
        output_of(command.arg("--filter").arg(format!("id~=^({})$", ids.join("|")))).map(drop)
    }

    fn address(&self) -> String {
        format!("unix://{}", self.folder.join("docker.sock").display())
    }

    fn containerd_socket(&self) -> PathBuf {
        self.folder.join("containerd.sock")
    }

    fn log(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.log"))
    }
}

/// Stops the engine and removes all that it kept.
impl Drop for OwnEngine {
    fn drop(&mut self) {
        for process in &mut self.processes {
            stop(process);
        }
        // One that stays is removed by the next bench.
        ip(&["link", "delete", &bridge_of(std::process::id())]).ok();
        super::work_dir::remove(&self.folder);
    }
}

fn bridge_of(bench: u32) -> String {
    format!("{BRIDGE}{bench}")
}

/// No step is connected to it, but a daemon that is given none takes the bridge of the machine's own engine away.
fn make_bridge() -> Result<()> {
    remove_bridges_of_the_dead()?;
    let process = std::process::id();
    let name = bridge_of(process);
    if Path::new(INTERFACES).join(&name).exists() {
        return Ok(());
    }
    ip(&["link", "add", &name, "type", "bridge"])?;
    ip(&["addr", "add", &format!("10.251.{}.1/24", process % 250), "dev", &name])
}

/// A bench that was killed left its bridge behind.
fn remove_bridges_of_the_dead() -> Result<()> {
    for interface in fs::read_dir(INTERFACES)?.flatten() {
        let name = interface.file_name().to_string_lossy().into_owned();
        let bench = name.strip_prefix(BRIDGE).and_then(|process| process.parse::<u32>().ok());
        if bench.is_some_and(|process| !Path::new("/proc").join(process.to_string()).exists()) {
            // Another bench may have been faster.
            ip(&["link", "delete", &name]).ok();
        }
    }
    Ok(())
}

fn ip(arguments: &[&str]) -> Result<()> {
    output_of(Command::new("ip").args(arguments))
        .map(drop)
        .context("the bench's engine needs a bridge, made with iproute2")
}

/// An engine that is asked leaves no mount behind; one that does not listen is killed.
fn stop(process: &mut Child) {
    kill_process(Pid::from_child(process), Signal::TERM).ok();
    let deadline = Instant::now() + PATIENCE;
    while matches!(process.try_wait(), Ok(None)) {
        if Instant::now() > deadline {
            kill_group(process).ok();
        }
        thread::sleep(POLL);
    }
}
