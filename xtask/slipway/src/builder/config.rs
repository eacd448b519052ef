//! `slipway builder config`: a garbage collection that takes cache mounts last.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;
use tasks::output;

use super::amounts::size;
use crate::name::Name;

const MEGABYTE: u64 = 1_000_000;
/// Copies of contexts and repositories go first, when they have not been used for two days.
const SOURCES: [&str; 2] = ["source.local", "source.git.checkout"];
const SOURCES_KEPT_FOR: &str = "48h";

#[derive(Debug, Args)]
pub(super) struct ConfigArgs {
    /// Size of the cache from which on cache mounts go, too; results of steps go from two thirds of it on
    #[arg(long, value_name = "SIZE", default_value = "60GB", value_parser = size)]
    keep: u64,
    /// The file to write
    #[arg(long, value_name = "FILE", default_value = "compose/buildkitd.toml")]
    out: PathBuf,
}

pub(super) fn run(args: &ConfigArgs) -> Result<ExitCode> {
    let failed = || format!("{} cannot be written", args.out.display());
    if let Some(folder) = args.out.parent() {
        std::fs::create_dir_all(folder).with_context(failed)?;
    }
    std::fs::write(&args.out, toml(args.keep)).with_context(failed)?;
    output::say(format_args!(
        "wrote {} for a BuildKit of its own (`buildkitd --config {0}`); for an engine, lay this over \
         /etc/docker/daemon.json and restart it:",
        args.out.display()
    ));
    output::print_json(&engine_settings(args.keep))?;
    Ok(ExitCode::SUCCESS)
}

fn megabytes(bytes: u64) -> String {
    format!("{}MB", bytes / MEGABYTE)
}

fn toml(keep: u64) -> String {
    let mut text = format!(
        "# Written by `{} builder config`: cache mounts hold what cargo, pip and the like have fetched and built, so\n\
         # they go last. The rules that come with BuildKit drop them after two days without use.\n",
        Name::typed()
    );
    let sources = SOURCES.map(|kind| format!("\"type=={kind}\"")).join(", ");
    for worker in ["oci", "containerd"] {
        text.push_str(&format!(
            "\n[worker.{worker}]\n  gc = true\n\
             \n[[worker.{worker}.gcpolicy]]\n  filters = [{sources}]\n  keepDuration = \"{SOURCES_KEPT_FOR}\"\n  maxUsedSpace = \"{}\"\n\
             \n[[worker.{worker}.gcpolicy]]\n  filters = [\"type!=exec.cachemount\"]\n  maxUsedSpace = \"{}\"\n\
             \n[[worker.{worker}.gcpolicy]]\n  all = true\n  maxUsedSpace = \"{}\"\n",
            megabytes(keep / 10),
            megabytes(keep / 3 * 2),
            megabytes(keep),
        ));
    }
    text
}

/// An engine's rules know no "all but", and one kind each.
fn engine_settings(keep: u64) -> serde_json::Value {
    let sources = SOURCES.map(|kind| {
        let filter = [format!("type={kind}"), format!("unused-for={SOURCES_KEPT_FOR}")];
        json!({"filter": filter, "maxUsedSpace": megabytes(keep / 10)})
    });
    let results = json!({"filter": ["type=regular"], "maxUsedSpace": megabytes(keep / 3 * 2)});
    let all = json!({"all": true, "maxUsedSpace": megabytes(keep)});
    let policy: Vec<_> = sources.into_iter().chain([results, all]).collect();
    json!({"builder": {"gc": {"enabled": true, "policy": policy}}})
}
