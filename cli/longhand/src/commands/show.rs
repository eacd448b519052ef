//! `longhand show`: where a job stands, or how it went.

use clap::Args;
use engine::{
    ids::JobId,
    result::{Provenance, ResultHead, StageFailure, Timings},
    run::OfRun,
    store::Store,
    temporal::{client::ClientError, progress::JobProgress},
};
use serde::Serialize;

use crate::{
    connection::Connection,
    durations::format_duration,
    exit::Exit,
    table::key_values,
    terminal::{print, print_json},
};

#[derive(Args)]
#[command(after_help = "\
Examples:
  longhand show job-0190163c
  longhand show job-0190163c --json | jq .provenance.chunks_reused")]
pub(crate) struct ShowArgs {
    /// The job, as `longhand list` names it
    #[arg(value_name = "ID")]
    id: JobId,
    /// Print JSON: the progress, and errors, timings and provenance once there is a result
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct State {
    #[serde(flatten)]
    progress: JobProgress,
    #[serde(flatten)]
    outcome: Option<Outcome>,
}

/// What only a finished job can tell.
#[derive(Serialize)]
struct Outcome {
    language: String,
    errors: Vec<StageFailure>,
    timings: Timings,
    provenance: Provenance,
}

pub(crate) async fn run(args: ShowArgs) -> anyhow::Result<Exit> {
    let Connection { jobs, store } = Connection::open().await?;
    let id = args.id.as_str();
    let progress = match jobs.progress(id).await {
        Err(error @ ClientError::NotFound { .. }) => {
            let result = store.find_result_head(id).await?;
            JobProgress::of_result(id, &result.ok_or(error)?)
        }
        progress => progress?,
    };
    let state = state(&store, progress).await?;
    if args.json {
        print_json(&state)?;
    } else {
        print(&key_values(lines(&state)))?;
    }
    Ok(Exit::Done)
}

async fn state(store: &Store, mut progress: JobProgress) -> anyhow::Result<State> {
    if !progress.status.is_final() {
        return Ok(State { progress, outcome: None });
    }
    let result = store.find_result_head(&progress.id).await?;
    // That of a run before this one, which left none, says nothing of it.
    let Some(result) = result.filter(|result| result.is_of(&progress.run_id)) else {
        return Ok(State { progress, outcome: None });
    };
    let ResultHead { status, language, duration_s, errors, timings, provenance, .. } = result;
    progress.status = status;
    progress.duration_s = duration_s;
    progress.chunks_total = provenance.chunks_total;
    progress.chunks_done = provenance.chunks_computed + provenance.chunks_reused;
    Ok(State { progress, outcome: Some(Outcome { language, errors, timings, provenance }) })
}

fn lines(state: &State) -> Vec<(&'static str, String)> {
    let State { progress, outcome } = state;
    let mut lines = vec![
        ("job", progress.id.clone()),
        ("kind", progress.kind.to_string()),
        ("status", progress.status.to_string()),
        ("stage", progress.stage.to_string()),
        ("elapsed", format_duration(progress.elapsed_s)),
    ];
    if progress.duration_s > 0.0 {
        lines.push(("recording", format_duration(progress.duration_s)));
    }
    if progress.chunks_total > 0 {
        lines.push(("chunks", format!("{} of {}", progress.chunks_done, progress.chunks_total)));
    }
    if progress.jobs_total > 0 {
        let how = progress.jobs.filter(|_| progress.jobs_done > 0).map(|jobs| format!(": {jobs}")).unwrap_or_default();
        lines.push(("jobs", format!("{} of {}{how}", progress.jobs_done, progress.jobs_total)));
    }
    if let Some(download) = &progress.download {
        lines.push(("waits", download.to_string()));
    }
    for retry in &progress.retries {
        lines.push(("retry", format!("attempt {} of {} after: {}", retry.attempt, retry.stage, retry.message)));
    }
    lines.extend(outcome.iter().flat_map(outcome_lines));
    lines
}

fn outcome_lines(outcome: &Outcome) -> Vec<(&'static str, String)> {
    let Outcome { language, errors, timings, provenance } = outcome;
    let mut lines: Vec<_> =
        errors.iter().map(|failure| ("error", format!("{}: {}", failure.stage, failure.message))).collect();
    lines.push(("language", language.clone()));
    let times = [
        ("queued", timings.queue_s),
        ("ingest", timings.ingest_s),
        ("transcribe", timings.transcribe_s),
        ("llm", timings.llm_s),
        ("in all", timings.wall_s),
    ];
    lines.push(("times", times.map(|(stage, seconds)| format!("{stage} {}", format_duration(seconds))).join(", ")));
    lines.extend(provenance_lines(provenance));
    // A job that failed early has nothing to tell of its later stages.
    lines.retain(|(_, value)| !value.is_empty());
    lines
}

fn provenance_lines(made: &Provenance) -> Vec<(&'static str, String)> {
    let mut lines = vec![
        ("audio sha256", made.audio_sha256.clone()),
        ("model", made.model.clone()),
        ("model sha256", made.model_sha256.clone()),
        ("recogniser", made.recogniser.clone()),
        (
            "made of",
            format!(
                "{} chunks computed, {} reused, {} computed twice, {} decoded again",
                made.chunks_computed, made.chunks_reused, made.chunks_recomputed, made.fallbacks
            ),
        ),
    ];
    for (task, usage) in &made.llm {
        let tokens = format!("{} + {} tokens in {} calls", usage.prompt_tokens, usage.completion_tokens, usage.calls);
        lines.push(("llm", format!("{task}: {} {}, {tokens}", usage.provider, usage.model)));
    }
    lines
}
