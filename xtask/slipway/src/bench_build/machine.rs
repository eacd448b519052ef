//! The machine and the tools of a measurement, which says nothing without them.

use std::{fs, path::Path, process::Command};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::{own_engine::OwnEngine, process::output_of};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) cpu: String,
    pub(crate) cores: usize,
    pub(crate) memory_mb: u64,
    pub(crate) kernel: String,
    /// The load of the last minute when the bench began; others at work make every figure worse.
    pub(crate) load: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Tools {
    pub(crate) engine: String,
    pub(crate) docker: String,
    pub(crate) buildx: String,
    pub(crate) compose: String,
}

impl Machine {
    pub(super) fn detect() -> Machine {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        Machine {
            cpu: field(&read("/proc/cpuinfo"), "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_mb: field(&read("/proc/meminfo"), "MemTotal").and_then(|text| kilobytes(&text)).unwrap_or(0) / 1024,
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            load: read("/proc/loadavg").split(' ').next().and_then(|load| load.parse().ok()).unwrap_or_default(),
        }
    }

    /// Whether figures of both can be compared.
    pub(super) fn is_like(&self, other: &Machine) -> bool {
        (&self.cpu, self.cores) == (&other.cpu, other.cores)
    }
}

impl Tools {
    pub(super) fn ask(engine: &OwnEngine, docker: &Path) -> Result<Tools> {
        let version = |format: &str| output_of(engine.docker().args(["version", "--format", format]));
        // A plugin that is not there is not measured either.
        let plugin = |name: &str| output_of(Command::new(docker).args([name, "version"])).unwrap_or_default();
        Ok(Tools {
            engine: version("{{.Server.Version}}")?.trim().to_owned(),
            docker: version("{{.Client.Version}}")?.trim().to_owned(),
            buildx: number(&plugin("buildx")),
            compose: number(&plugin("compose")),
        })
    }
}

/// The value of the first line `NAME : VALUE`.
fn field(text: &str, name: &str) -> Option<String> {
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':'))?;
    Some(value.trim().to_owned())
}

fn kilobytes(text: &str) -> Option<u64> {
    text.split(' ').next()?.parse().ok()
}

/// The first word that is a version.
fn number(text: &str) -> String {
    let is_version = |word: &&str| word.trim_start_matches('v').starts_with(|first: char| first.is_ascii_digit());
    text.split_whitespace().find(is_version).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_are_read() {
        let table = [
            ("github.com/docker/buildx 0.29.1+ds1 0.29.1+ds1-4", "0.29.1+ds1"),
            ("Docker Compose version v2.40.3", "v2.40.3"),
            ("", ""),
        ];
        for (text, expected) in table {
            assert_eq!(number(text), expected);
        }
        assert_eq!(field("a: 1\nmodel name\t: Fast CPU\n", "model name").as_deref(), Some("Fast CPU"));
        assert_eq!(field("MemTotal:       16 kB\n", "MemTotal").and_then(|text| kilobytes(&text)), Some(16));
    }
}
