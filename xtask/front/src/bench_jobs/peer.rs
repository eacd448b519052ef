//! Temporal's Python SDK, in an environment of its own: what many jobs are measured against.

use std::process::Command;

use anyhow::Context;
use serde::Deserialize;

use crate::{
    bench_stack::{BenchStack, python::Environment},
    workspace,
};

pub(super) const NAME: &str = "Temporal's Python SDK 1.35.0, three activities that do nothing";

const PACKAGE: &str = "temporalio==1.35.0";

pub(super) struct Peer {
    environment: Environment,
}

#[derive(Deserialize)]
struct Done {
    seconds: f64,
}

impl Peer {
    pub(super) fn install() -> anyhow::Result<Self> {
        Ok(Self { environment: Environment::with("temporalio-1.35.0", &[PACKAGE])? })
    }

    /// Seconds that so many workflows take.
    pub(super) fn measure(&self, stack: &mut BenchStack<'_>, workflows: u32, concurrency: u32) -> anyhow::Result<f64> {
        let script = workspace::root().join("benches/peers/temporal_python_peer.py");
        let mut command = stack.set_up(Command::new(self.environment.python()));
        command.arg(script).args([workflows.to_string(), concurrency.to_string()]);
        let printed = stack.run(&mut command)?;
        let done: Done = serde_json::from_slice(&printed).context("the peer's output is not understood")?;
        Ok(done.seconds)
    }
}
