//! Installs Docker Engine from the distribution's own packages; where those are too old, from
//! the next release of Debian, without changing where any other package comes from.

use std::{
    fs::{self, File},
    path::Path,
    process::Command,
};

use anyhow::{Context, Result, bail};

/// BuildKit's gRPC with several sessions, the containerd image store and Dockerfile checks.
pub(super) const OLDEST_ENGINE: u32 = 23;
const NEWER_RELEASE: &str = "forky";
/// Under these names in every release of Debian and Ubuntu that has an engine new enough.
const FEWEST_PACKAGES: [&str; 2] = ["docker.io", "docker-buildx"];
/// With what they need of the same release.
const PACKAGES: [&str; 6] = ["docker.io", "docker-cli", "docker-buildx", "docker-compose", "containerd", "tini-static"];
const LOG: &str = "/var/log/engine-install.log";
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

pub(super) const ADVICE: &str =
    "install Docker Engine 23 or newer (https://docs.docker.com/engine/install), start it, and try again";

/// Why this machine's engine cannot be installed from here; none where it can.
pub(super) fn reason_not_here() -> Option<&'static str> {
    if !is_debian_like(&fs::read_to_string("/etc/os-release").unwrap_or_default()) {
        return Some("it can be installed from here on Debian and Ubuntu only");
    }
    (!rustix::process::geteuid().is_root()).then_some("only root can install and start it")
}

fn is_debian_like(os_release: &str) -> bool {
    os_release
        .lines()
        .filter_map(|line| line.strip_prefix("ID=").or_else(|| line.strip_prefix("ID_LIKE=")))
        .flat_map(|ids| ids.trim_matches('"').split(' '))
        .any(|id| matches!(id, "debian" | "ubuntu"))
}

pub(super) fn install_missing() -> Result<()> {
    if installed_version().is_some_and(|version| version >= OLDEST_ENGINE) {
        return Ok(());
    }
    apt_get(&["update", "-qq"])?;
    if candidate_version()?.is_some_and(|version| version >= OLDEST_ENGINE) {
        return install(FEWEST_PACKAGES.iter().map(|package| (*package).to_owned()));
    }
    if !Path::new(KEYRING).is_file() {
        bail!("this distribution's engine is older than {OLDEST_ENGINE}; {ADVICE}");
    }
    add_newer_release()?;
    apt_get(&["update", "-qq"])?;
    install(PACKAGES.iter().map(|package| format!("{package}/{NEWER_RELEASE}")))
}

fn installed_version() -> Option<u32> {
    let output = Command::new("dockerd").arg("--version").output().ok()?;
    major_version(String::from_utf8_lossy(&output.stdout).strip_prefix("Docker version ")?)
}

fn candidate_version() -> Result<Option<u32>> {
    let output = Command::new("apt-cache").args(["policy", "docker.io"]).output().context("apt-cache cannot be run")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(text.lines().find_map(|line| major_version(line.trim().strip_prefix("Candidate: ")?)))
}

pub(super) fn major_version(version: &str) -> Option<u32> {
    version.split(['.', '+']).next()?.parse().ok()
}

/// The pin keeps every other package where it is: only what is asked for by release comes from
/// there.
fn add_newer_release() -> Result<()> {
    let mirror = crate::debian::mirror().context(ADVICE)?;
    let write = |path: &str, text: String| fs::write(path, text).with_context(|| format!("{path} cannot be written"));
    write(
        "/etc/apt/sources.list.d/engine.list",
        format!("deb [signed-by={KEYRING} check-valid-until=no] {mirror} {NEWER_RELEASE} main\n"),
    )?;
    write("/etc/apt/preferences.d/engine", format!("Package: *\nPin: release n={NEWER_RELEASE}\nPin-Priority: 50\n"))
}

fn install(packages: impl Iterator<Item = String>) -> Result<()> {
    let packages: Vec<String> = packages.collect();
    let mut arguments = vec!["install", "-y", "-qq", "--no-install-recommends", "iptables"];
    arguments.extend(packages.iter().map(String::as_str));
    apt_get(&arguments)
}

fn apt_get(arguments: &[&str]) -> Result<()> {
    let log =
        File::options().create(true).append(true).open(LOG).with_context(|| format!("{LOG} cannot be written"))?;
    let status = Command::new("apt-get")
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdout(log.try_clone()?)
        .stderr(log)
        .status()
        .context("apt-get cannot be run")?;
    if !status.success() {
        bail!("`apt-get {}` failed; see {LOG}, or {ADVICE}", arguments.join(" "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distributions_are_told_apart() {
        let table = [
            ("ID=debian\n", true),
            ("NAME=x\nID=ubuntu\n", true),
            ("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", true),
            ("ID=fedora\nID_LIKE=\"rhel\"\n", false),
            ("", false),
        ];
        for (text, expected) in table {
            assert_eq!(is_debian_like(text), expected, "{text:?}");
        }
    }

    #[test]
    fn versions_begin_with_their_major_number() {
        let table = [("28.5.2+dfsg4-1", Some(28)), ("20.10.24+dfsg1-1+b3", Some(20)), ("(none)", None)];
        for (text, expected) in table {
            assert_eq!(major_version(text), expected, "{text}");
        }
    }
}
