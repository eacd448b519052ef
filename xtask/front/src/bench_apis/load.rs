//! oha, an HTTP load generator, and what it tells.

use std::{collections::BTreeMap, fmt, path::PathBuf, process::Command};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use tasks::output::say;

use crate::{
    bench_stack::{BenchStack, python},
    workspace,
};

const VERSION: &str = "1.16.0";

pub(super) struct Oha {
    program: PathBuf,
}

/// How requests were answered.
#[derive(Debug, Serialize)]
pub(super) struct Load {
    /// With a status from 200 to 299.
    answered: u32,
    /// Otherwise, or not at all.
    pub(super) lost: u32,
    per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
}

/// What is read of oha's output.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OhaReport {
    summary: Summary,
    latency_percentiles: Percentiles,
    status_code_distribution: BTreeMap<String, u32>,
    error_distribution: BTreeMap<String, u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    requests_per_sec: f64,
}

/// Seconds.
#[derive(Deserialize)]
struct Percentiles {
    p50: f64,
    p99: f64,
}

/// What oha calls a request that its own end cut off.
const CUT_OFF: &str = "aborted due to deadline";

impl Oha {
    /// Compiles it where it is missing; a second run finds it.
    pub(super) fn install() -> anyhow::Result<Self> {
        let folder = workspace::root().join("target/peers").join(format!("oha-{VERSION}"));
        let program = folder.join("bin/oha");
        if !program.exists() {
            say(format_args!("installing oha {VERSION} into {}", folder.display()));
            let mut install = workspace::cargo();
            install.args(["install", "oha", "--version", VERSION, "--locked", "--quiet"]);
            python::run(install.arg("--root").arg(&folder))?;
        }
        Ok(Self { program })
    }

    /// Requests to an address; what is added tells how many, and at what rate.
    pub(super) fn requests(&self, url: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["--no-tui", "--output-format", "json"]).arg(url);
        command
    }
}

impl Load {
    /// Sends requests of [`Oha::requests`].
    pub(super) fn measure(stack: &mut BenchStack<'_>, requests: &mut Command) -> anyhow::Result<Self> {
        let report = stack.run(requests)?;
        let report: OhaReport = serde_json::from_slice(&report).context("oha's output is not understood")?;
        let is_good = |(status, _): &(&String, &u32)| status.starts_with('2');
        let (good, bad): (Vec<_>, Vec<_>) = report.status_code_distribution.iter().partition(is_good);
        let errors = report.error_distribution.iter().filter(|(error, _)| *error != CUT_OFF);
        Ok(Self {
            answered: good.into_iter().map(|(_, count)| count).sum(),
            lost: bad.into_iter().chain(errors).map(|(_, count)| count).sum(),
            per_second: report.summary.requests_per_sec,
            p50_ms: report.latency_percentiles.p50 * 1000.0,
            p99_ms: report.latency_percentiles.p99 * 1000.0,
        })
    }
}

impl fmt::Display for Load {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { answered, lost, per_second, p50_ms, p99_ms } = self;
        write!(
            to,
            "{answered} answered, {lost} lost, {per_second:.0} a second, half within {p50_ms:.1} ms, 99 of 100 within {p99_ms:.1} ms"
        )
    }
}
