//! `longhand delete`: makes jobs disappear.

use anyhow::ensure;
use clap::Args;
use engine::{
    erasure::Scope,
    ids::JobId,
    store::{Store, keys},
    temporal::{
        client::{ClientError, Jobs},
        workflows::PurgeRequest,
    },
};
use serde_json::json;

use crate::{
    connection::Connection,
    exit::Exit,
    sizes::format_bytes,
    terminal::{confirmed, is_interactive, note, print_json},
};

#[derive(Args)]
#[command(after_help = "\
What goes: result, transcript, answers, the log of the webhook, what Temporal knows of the job, and its recording with \
all that was made of it, unless another job has the same. A job that runs is cancelled first; a batch goes with all of \
its jobs. There is no way back.

Examples:
  longhand delete job-0190163c
  longhand delete talk-1 talk-2 --yes
  longhand delete talk-1 --recording --yes")]
pub(crate) struct DeleteArgs {
    /// Jobs and batches, as `longhand list` names them
    #[arg(value_name = "ID", required = true)]
    ids: Vec<JobId>,
    /// Only the recording and what was made of its sound; transcript and answers stay
    #[arg(long)]
    recording: bool,
    /// Ask nothing
    #[arg(short, long)]
    yes: bool,
    /// Print a JSON list of {id, objects, bytes}
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: DeleteArgs) -> anyhow::Result<Exit> {
    ensure!(args.yes || is_interactive(), "nobody can be asked whether to delete; add --yes");
    let Connection { jobs, store } = Connection::open().await?;
    for id in &args.ids {
        check_known(&jobs, &store, id).await?;
    }
    if !args.yes && !confirmed(&question(&args)).await {
        note("nothing is deleted");
        return Ok(Exit::Done);
    }
    let scope = if args.recording { Scope::Recording } else { Scope::Everything };
    for id in &args.ids {
        let asked_by = "the command line".to_owned();
        let request = PurgeRequest { job_id: id.to_string(), scope, asked_by, spare_running: false };
        jobs.purge(&request).await?;
    }
    let mut deleted = Vec::new();
    for id in &args.ids {
        let gone = jobs.purged(id.as_str()).await?;
        note(&format!("{id} is deleted: {} objects, {}", gone.objects, format_bytes(gone.bytes)));
        deleted.push(json!({ "id": id.as_str(), "objects": gone.objects, "bytes": gone.bytes }));
    }
    if args.json {
        print_json(&deleted)?;
    }
    Ok(Exit::Done)
}

/// Nothing is deleted where one of the names is mistyped.
async fn check_known(jobs: &Jobs, store: &Store, id: &JobId) -> anyhow::Result<()> {
    match jobs.status(id.as_str()).await {
        Err(error @ ClientError::NotFound { .. }) => {
            let is_known = store.find_result(id.as_str()).await?.is_some()
                || store.exists(&keys::batch(id.as_str())).await?
                || jobs.is_being_purged(id.as_str()).await?;
            if is_known { Ok(()) } else { Err(error.into()) }
        }
        known => Ok(known.map(drop)?),
    }
}

fn question(args: &DeleteArgs) -> String {
    let of = if args.recording { "the recordings of " } else { "" };
    match args.ids.as_slice() {
        [only] if args.recording => format!("Delete the recording of {only} for good?"),
        [only] => format!("Delete {only} for good?"),
        several => format!("Delete {of}{} jobs for good?", several.len()),
    }
}
