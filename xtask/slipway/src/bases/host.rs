//! How this machine reaches package registries, as far as containers have to do the same: Debian's
//! mirrors, pip's and cargo's settings, the administrator's certificates. Nothing with a password
//! in it is taken, for layers are for everyone to read.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result};

use super::certificates;
use crate::debian::Mirrors;

const BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";
/// By these, programs that carry certificates of their own trust those of the system.
const TRUSTING: [&str; 3] = ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"];
/// apt's settings that decide whether it reaches a mirror.
const APT: [&str; 5] = [
    "Acquire::Check-Valid-Until ",
    "Acquire::Check-Date ",
    "Acquire::Retries ",
    "Acquire::http::Proxy",
    "Acquire::https::Proxy",
];
/// Settings of pip that decide where it looks for packages.
const PIP: [&str; 4] = ["index-url", "extra-index-url", "trusted-host", "proxy"];
/// Sections of cargo's settings that decide the same.
const CARGO: [&str; 5] = ["source", "registry", "registries", "http", "net"];
/// As in Debian's official image: no downloaded package stays in a layer. Dockerfiles that keep
/// them in a cache mount remove the file by its name.
const CLEAN: &str = "\
DPkg::Post-Invoke { \"rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb || true\"; };
Dir::Cache::pkgcache \"\";
Dir::Cache::srcpkgcache \"\";
Acquire::Languages \"none\";
";

pub(super) struct Settings {
    /// Lines of apt's configuration.
    pub(super) apt: Vec<String>,
    pub(super) mirrors: Mirrors,
    /// Cargo's configuration.
    pub(super) cargo: Option<String>,
    /// A folder with files for the image.
    pub(super) files: PathBuf,
    trusts_more: bool,
}

impl Settings {
    /// Reads them, and writes the files below `scratch`.
    pub(super) async fn of_this_machine(scratch: &Path) -> Result<Settings> {
        let scratch = scratch.to_owned();
        tokio::task::spawn_blocking(move || Settings::read(&scratch)).await?
    }

    fn read(scratch: &Path) -> Result<Settings> {
        let files = scratch.join("files");
        let certificates = certificates::of_the_administrator();
        let trusts_more = !certificates.is_empty();
        let mut contents: Vec<(String, String)> = certificates
            .into_iter()
            .map(|(name, text)| (format!("usr/local/share/ca-certificates/{name}"), text))
            .collect();
        contents.push(("etc/apt/apt.conf.d/docker-clean".to_owned(), CLEAN.to_owned()));
        let pip = pip_settings(&output_of("python3", &["-m", "pip", "config", "list"]), trusts_more);
        contents.extend(pip.map(|text| ("etc/pip.conf".to_owned(), text)));
        for (path, text) in contents {
            let path = files.join(path);
            fs::create_dir_all(path.parent().unwrap_or(&files))?;
            fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))?;
        }
        let cargo = cargo_home().and_then(|home| fs::read_to_string(home.join("config.toml")).ok());
        Ok(Settings {
            apt: apt_settings(&output_of("apt-config", &["dump", "Acquire"])),
            mirrors: Mirrors::of_this_machine(),
            cargo: cargo.and_then(|text| cargo_settings(&text)),
            files,
            trusts_more,
        })
    }

    /// Variables for the image.
    pub(super) fn environment(&self) -> BTreeMap<String, String> {
        let names = TRUSTING.iter().filter(|_| self.trusts_more);
        names.map(|name| ((*name).to_owned(), BUNDLE.to_owned())).collect()
    }
}

/// Empty where the program is missing: then it has no settings either.
fn output_of(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
}

fn cargo_home() -> Option<PathBuf> {
    std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(std::env::home_dir()?.join(".cargo")))
}

fn apt_settings(dump: &str) -> Vec<String> {
    let wanted = |line: &&str| APT.iter().any(|name| line.starts_with(name)) && !has_password(line);
    dump.lines().filter(wanted).map(str::to_owned).collect()
}

/// From `pip config list`, whose lines are `global.index-url='https://...'`; what comes from the
/// environment is among them.
fn pip_settings(listed: &str, trusts_more: bool) -> Option<String> {
    let mut lines = Vec::new();
    for line in listed.lines().filter(|line| !has_password(line)) {
        let Some((name, value)) = line.split_once('=') else { continue };
        let name = name.rsplit('.').next().unwrap_or(name);
        if PIP.contains(&name) {
            let value = value.trim_matches('\'').replace("\\n", "\n    ");
            lines.push(format!("{name} = {value}"));
        }
    }
    if trusts_more {
        lines.push(format!("cert = {BUNDLE}"));
    }
    (!lines.is_empty()).then(|| format!("[global]\n{}\n", lines.join("\n")))
}

fn cargo_settings(text: &str) -> Option<String> {
    let mut wanted = false;
    let mut kept = String::new();
    for line in text.lines() {
        let trimmed = line.trim();
        if let Some(header) = trimmed.strip_prefix('[') {
            let section = header.trim_start_matches('[').split(['.', ']']).next().unwrap_or_default().trim();
            wanted = CARGO.contains(&section);
        }
        // A path is one of this machine; the image has the certificates in the usual place.
        let is_private = ["token", "credential", "secret", "cainfo"].iter().any(|word| trimmed.contains(word));
        if wanted && !is_private && !has_password(trimmed) {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    (!kept.is_empty()).then_some(kept)
}

/// Whether an address in the line has a user, as in `https://user:password@host`.
fn has_password(line: &str) -> bool {
    line.split("://")
        .skip(1)
        .any(|rest| rest.split(['/', '\'', '"', ' ']).next().is_some_and(|host| host.contains('@')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_apt_are_taken_without_passwords() {
        let dump = "Acquire \"\";\nAcquire::cdrom::mount \"/cd\";\nAcquire::Check-Date \"false\";\n\
                    Acquire::http::Proxy \"http://u:p@proxy:1\";\nAcquire::https::Proxy \"http://proxy:2\";\n";
        assert_eq!(apt_settings(dump), ["Acquire::Check-Date \"false\";", "Acquire::https::Proxy \"http://proxy:2\";"]);
    }

    #[test]
    fn settings_of_pip_are_taken_without_passwords() {
        let listed = ":env:.index-url='https://u:p@private/simple'\nglobal.cert='/here'\n\
                      global.extra-index-url='https://a/simple\\nhttps://b/simple'\nuser.no-cache-dir='true'\n";
        let expected = "[global]\nextra-index-url = https://a/simple\n    https://b/simple\n";
        assert_eq!(pip_settings(listed, false).unwrap(), expected);
        assert_eq!(pip_settings("", true).unwrap(), format!("[global]\ncert = {BUNDLE}\n"));
        assert_eq!(pip_settings("global.cert='/here'\n", false), None);
    }

    #[test]
    fn settings_of_cargo_are_taken_without_tokens() {
        let text = "[build]\njobs = 2\n[source.crates-io]\nreplace-with = \"m\"\n[source.m]\nregistry = \"sparse+https://m/\"\n\
                    [registries.m]\ntoken = \"xyzzy\"\nindex = \"https://u:p@m/\"\n[alias]\nx = \"run\"\n[http]\ncainfo = \"/here\"\nmultiplexing = false\n";
        let expected = "[source.crates-io]\nreplace-with = \"m\"\n[source.m]\nregistry = \"sparse+https://m/\"\n\
                        [registries.m]\n[http]\nmultiplexing = false\n";
        assert_eq!(cargo_settings(text).unwrap(), expected);
        assert_eq!(cargo_settings("[build]\njobs = 2\n"), None);
    }
}
