//! `slipway builder prune`: drops what is old, or what is too much.

use std::{process::ExitCode, time::Duration};

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;
use tasks::output;

use super::{
    amounts::{size, time},
    forecast::dropped,
    show::by_kind,
};
use crate::{
    buildkit::{Builder, CacheRecord, CacheRule},
    timings::bytes,
};

#[derive(Debug, Args)]
pub(super) struct PruneArgs {
    /// Drop what has not been used for this time, as in 48h or 7d
    #[arg(long, value_name = "TIME", value_parser = time, required_unless_present = "keep", conflicts_with = "keep")]
    older_than: Option<Duration>,
    /// Drop what was used longest ago until no more than this is left, as in 10GB
    #[arg(long, value_name = "SIZE", value_parser = size)]
    keep: Option<u64>,
    /// Only tell what would be dropped
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(builder: &Builder, args: &PruneArgs, as_json: bool) -> Result<ExitCode> {
    let rule = CacheRule {
        keep_for: args.older_than.unwrap_or_default(),
        most: args.keep.unwrap_or_default(),
        ..CacheRule::default()
    };
    let failed = || format!("the builder at {} could not prune its cache", builder.address());
    let records = if args.dry_run {
        let records = builder.cache().await.with_context(failed)?;
        dropped(&records, &[rule]).into_iter().map(|index| records[index].clone()).collect()
    } else {
        builder.prune(&rule).await.with_context(failed)?
    };
    tell(&records, args.dry_run, as_json)?;
    Ok(ExitCode::SUCCESS)
}

fn tell(records: &[CacheRecord], dry_run: bool, as_json: bool) -> Result<()> {
    let total: u64 = records.iter().map(|record| record.size).sum();
    if as_json {
        let report = json!({"dry_run": dry_run, "bytes": total, "records": records});
        return Ok(output::print_json(&report)?);
    }
    if !records.is_empty() {
        output::print(&format!("{}\n", by_kind(records)))?;
    }
    let verb = if dry_run { "would be dropped" } else { "dropped" };
    output::say(format_args!("{} in {} records {verb}", bytes(total), records.len()));
    Ok(())
}
