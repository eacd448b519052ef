//! `longhand list`: the jobs that run, and the latest that ended.

use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use engine::temporal::{
    client::{JobFilter, Jobs},
    progress::JobSummary,
};

use crate::{
    connection::Connection,
    durations::{format_ago, format_duration},
    exit::Exit,
    table::table,
    terminal::{note, print, print_json},
};

#[derive(Args)]
#[command(after_help = "\
Examples:
  longhand list
  longhand list --limit 100 --json")]
pub(crate) struct ListArgs {
    /// How many jobs: those that run, then those that ended last
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// Print a JSON list of {id, kind, status, started, wall_s}
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: ListArgs) -> anyhow::Result<Exit> {
    let jobs = latest(&Connection::open().await?.jobs, args.limit).await?;
    if args.json {
        print_json(&jobs)?;
    } else if jobs.is_empty() {
        note("there are no jobs yet; `longhand transcribe FILE` starts one");
    } else {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64();
        print(&table(["ID", "KIND", "STATUS", "STARTED", "TOOK"], jobs.iter().map(|job| row(job, now))))?;
    }
    Ok(Exit::Done)
}

async fn latest(jobs: &Jobs, limit: usize) -> anyhow::Result<Vec<JobSummary>> {
    let mut listed = Vec::new();
    let mut next = None;
    while listed.len() < limit {
        let page = jobs.page(JobFilter::default(), next, limit - listed.len()).await?;
        listed.extend(page.jobs);
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    Ok(listed)
}

fn row(job: &JobSummary, now: f64) -> [String; 5] {
    [
        job.id.clone(),
        job.kind.to_string(),
        job.status.to_string(),
        job.started.map(|started| format_ago(now - started)).unwrap_or_default(),
        job.wall_s.map(format_duration).unwrap_or_default(),
    ]
}
