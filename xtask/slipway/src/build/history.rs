//! `slipway build history`: the last builds, which every build is kept among by itself.

use std::{
    process::ExitCode,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::Result;
use clap::Args;
use serde_json::json;
use tabled::{
    builder::Builder,
    settings::{Alignment, Modify, Style, object::Columns},
};
use tasks::output;

use crate::timings::{StoredBuild, bytes, kept_builds, seconds};

/// What an image can come to, in the order of the table.
const OUTCOMES: [&str; 5] = ["built", "unchanged", "failed", "cancelled", "skipped"];

#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    /// Only builds of this project
    #[arg(long, value_name = "NAME")]
    project: Option<String>,
    /// Print them as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &HistoryArgs) -> Result<ExitCode> {
    let mut builds = kept_builds()?;
    builds.retain(|(_, build)| args.project.as_ref().is_none_or(|name| *name == build.project));
    if args.json {
        let all: Vec<_> = builds.iter().map(|(number, build)| entry(*number, build)).collect();
        output::print_json(&all)?;
    } else if builds.is_empty() {
        output::say(format_args!("no build is kept yet"));
    } else {
        output::print(&format!("{}\n", table(&builds)))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn entry(number: u64, build: &StoredBuild) -> serde_json::Value {
    let images: serde_json::Map<String, serde_json::Value> =
        OUTCOMES.iter().map(|outcome| ((*outcome).to_owned(), build.count(outcome).into())).collect();
    json!({
        "build": number,
        "project": build.project,
        "began_unix_ms": build.began_unix_ms,
        "wall_ms": build.wall_ms,
        "context_sent": build.context_sent,
        "images": images,
    })
}

fn table(builds: &[(u64, StoredBuild)]) -> String {
    let mut table = Builder::default();
    table.push_record(["build", "began", "project", "images", "wall", "sent"]);
    for (number, build) in builds {
        let images = OUTCOMES.iter().map(|outcome| (build.count(outcome), outcome)).filter(|(count, _)| *count > 0);
        let images: Vec<String> = images.map(|(count, outcome)| format!("{count} {outcome}")).collect();
        table.push_record([
            number.to_string(),
            ago(build.began_unix_ms),
            build.project.clone(),
            images.join(", "),
            seconds(Duration::from_secs_f64(build.wall_ms / 1e3)),
            bytes(build.context_sent),
        ]);
    }
    let mut table = table.build();
    table.with(Style::sharp()).with(Modify::new(Columns::new(4..6)).with(Alignment::right()));
    table.to_string()
}

fn ago(unix_ms: u64) -> String {
    let age = SystemTime::now().duration_since(UNIX_EPOCH + Duration::from_millis(unix_ms)).unwrap_or_default();
    let units = [("d", 86_400), ("h", 3_600), ("min", 60)];
    let seconds = age.as_secs();
    match units.iter().find(|(_, size)| seconds >= *size) {
        Some((unit, size)) => format!("{} {unit} ago", seconds / size),
        None => format!("{seconds} s ago"),
    }
}
