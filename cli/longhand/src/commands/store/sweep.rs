//! Taking away what nobody refers to. A worker does it; a dry run only looks, from here.

use std::time::Duration;

use clap::Args;
use engine::temporal::{
    contracts::SweepReport,
    sweep::{self, Leftovers},
    workflows::HousekeepingRequest,
};
use serde_json::json;

use crate::{
    connection::Connection,
    exit::Exit,
    sizes::format_bytes,
    table::table,
    terminal::{note, print, print_json},
};

#[derive(Args)]
#[command(after_help = "\
Housekeeping sweeps by itself, as LONGHAND_HOUSEKEEPING_HOURS says. Nothing goes that a job or a batch needs, and \
nothing that was touched lately.

Examples:
  longhand store sweep --dry-run
  longhand store sweep --min-age-hours 1")]
pub(crate) struct SweepArgs {
    /// Only tell what would go
    #[arg(long)]
    dry_run: bool,
    /// Leave alone what was touched since
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    min_age_hours: u32,
    /// Print JSON: {recordings, jobs, parts, objects, bytes}, and of a dry run what would go
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: SweepArgs) -> anyhow::Result<Exit> {
    let Connection { jobs, store } = Connection::open().await?;
    let min_age = Duration::from_secs(3600) * args.min_age_hours;
    if args.dry_run {
        let found = sweep::find(&store, &jobs, min_age).await?;
        show(&found, args.json)?;
        return Ok(Exit::Done);
    }
    let asked_by = "the command line".to_owned();
    let request = HousekeepingRequest { min_age_s: min_age.as_secs(), retain: false, asked_by };
    let swept = jobs.housekeep(&request).await?.swept;
    note(&format!("swept: {}", told(&swept)));
    if args.json {
        print_json(&swept)?;
    }
    Ok(Exit::Done)
}

fn told(report: &SweepReport) -> String {
    let SweepReport { recordings, jobs, parts, objects, bytes } = report;
    let size = format_bytes(*bytes);
    format!("{recordings} recordings, {jobs} lost jobs, {parts} unfinished parts; {objects} objects, {size}")
}

fn show(found: &Leftovers, json: bool) -> anyhow::Result<()> {
    note(&format!("would be swept: {}", told(&found.report())));
    let recordings = found.recordings.iter().map(|(name, extent)| ("recording", name.clone(), extent.bytes));
    let jobs = found.jobs.iter().map(|(id, extent)| ("job", id.to_string(), extent.bytes));
    let parts = found.parts.iter().map(|part| ("part", part.path.display().to_string(), part.size));
    let all = recordings.chain(jobs).chain(parts);
    if json {
        let leftovers: Vec<_> =
            all.map(|(kind, name, bytes)| json!({ "kind": kind, "name": name, "bytes": bytes })).collect();
        let SweepReport { recordings, jobs, parts, objects, bytes } = found.report();
        return print_json(&json!({
            "recordings": recordings, "jobs": jobs, "parts": parts, "objects": objects, "bytes": bytes,
            "leftovers": leftovers,
        }));
    }
    let rows: Vec<_> = all.map(|(kind, name, bytes)| [kind.to_owned(), name, format_bytes(bytes)]).collect();
    if rows.is_empty() { Ok(()) } else { print(&table(["KIND", "NAME", "SIZE"], rows)) }
}
