//! How much memory containers take.

use std::{
    collections::BTreeMap,
    process::{Command, Stdio},
};

use anyhow::{Context, Result};
use serde::Deserialize;

use super::container::Container;

/// A line of `docker stats`.
#[derive(Deserialize)]
struct Stats {
    #[serde(rename = "ID")]
    id: String,
    /// As in `12.5MiB / 256MiB`.
    #[serde(rename = "MemUsage")]
    usage: String,
}

/// Bytes that the running ones of these containers use, and may use, by their ids.
pub(super) fn of(containers: &[Container]) -> Result<BTreeMap<String, Memory>> {
    let running: Vec<&str> = containers.iter().filter(|one| one.is_running()).map(|one| one.id.as_str()).collect();
    if running.is_empty() {
        return Ok(BTreeMap::new());
    }
    // A container that ends meanwhile makes the command fail; the others are in its output nevertheless.
    let output = Command::new("docker")
        .args(["stats", "--no-stream", "--no-trunc", "--format", "json"])
        .args(running)
        .stdin(Stdio::null())
        .output()
        .context("docker cannot be run")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let stats = text.lines().filter_map(|line| serde_json::from_str::<Stats>(line).ok());
    Ok(stats.filter_map(|stats| Some((stats.id, Memory::parse(&stats.usage)?))).collect())
}

/// In bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Memory {
    pub(super) used: u64,
    pub(super) limit: u64,
}

impl Memory {
    fn parse(usage: &str) -> Option<Self> {
        let (used, limit) = usage.split_once(" / ")?;
        Some(Self { used: bytes(used)?, limit: bytes(limit)? })
    }
}

const UNITS: [(&str, u32); 5] = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10), ("B", 0)];

fn bytes(text: &str) -> Option<u64> {
    let (number, power) = UNITS.iter().find_map(|(unit, power)| Some((text.strip_suffix(unit)?, *power)))?;
    let number: f64 = number.parse().ok()?;
    Some((number * (1_u64 << power) as f64) as u64)
}

#[cfg(test)]
mod tests {
    use super::Memory;

    #[test]
    fn usage_is_read_in_every_unit() {
        for (text, expected) in [
            ("12.5MiB / 256MiB", Some((13_107_200, 268_435_456))),
            ("712KiB / 1.5GiB", Some((729_088, 1_610_612_736))),
            ("0B / 0B", Some((0, 0))),
            ("-- / --", None),
        ] {
            assert_eq!(Memory::parse(text).map(|memory| (memory.used, memory.limit)), expected, "{text}");
        }
    }
}
