//! `longhand cancel`: stops jobs.

use clap::Args;
use engine::ids::JobId;
use serde_json::json;

use crate::{
    connection::Connection,
    exit::Exit,
    terminal::{note, print_json},
};

#[derive(Args)]
#[command(after_help = "\
A job stops within about a second; what it has finished is kept and found again by the next job on the \
same audio. A batch stops with all of its jobs.

Example:
  longhand cancel job-0190163c")]
pub(crate) struct CancelArgs {
    /// Jobs, as `longhand list` names them
    #[arg(value_name = "ID", required = true)]
    ids: Vec<JobId>,
    /// Print a JSON list of {id, status}, the status being that before
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: CancelArgs) -> anyhow::Result<Exit> {
    let jobs = Connection::open().await?.jobs;
    let mut before = Vec::new();
    for id in &args.ids {
        let status = jobs.progress(id.as_str()).await?.status;
        if status.is_final() {
            note(&format!("{id} is {status} already"));
        } else {
            jobs.cancel(id.as_str()).await?;
            note(&format!("{id} is being cancelled"));
        }
        before.push(json!({ "id": id.as_str(), "status": status }));
    }
    if args.json {
        print_json(&before)?;
    }
    Ok(Exit::Done)
}
