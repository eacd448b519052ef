//! `slipway build`: builds the images of a compose project in parallel and tells where the
//! time went.

mod base_image_fallback;
mod check;
mod compare;
mod failure_report;
mod flags;
mod history;
mod overlay;
mod placement;
mod plan;
mod progress;
mod request;
mod run;
mod solve_events;
mod unchanged;

use std::{collections::BTreeMap, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result, bail};
use futures_util::future::join_all;
use tasks::output;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{
    build_event::{Clock, ImageOutcome},
    buildkit::{Builder, Engine, certificates_of_environment},
    compose::{Project, ProjectRequest},
    timings::{BuildRecord, keep, render_table, write_files},
};
use flags::HistoryCommand;
pub(crate) use flags::{BuildArgs, EXAMPLES};
use plan::Plan;
use progress::Progress;
pub(crate) use progress::ProgressStyle;
use run::BuildOptions;

const FAILED: u8 = 1;
const INTERRUPTED: u8 = 130;

/// Runs the verb. Whatever keeps the build from beginning is an error; a build that fails is an
/// exit code.
pub(crate) fn run(args: &BuildArgs) -> Result<ExitCode> {
    match &args.history_command {
        Some(HistoryCommand::History(args)) => return history::run(args),
        Some(HistoryCommand::Compare(args)) => return compare::run(args),
        None => {}
    }
    let plan = plan(args)?;
    if args.check {
        return check::show(&plan, args.progress);
    }
    let runtime = tokio::runtime::Runtime::new().context("no threads for the build")?;
    runtime.block_on(build(&plan, args))
}

/// Builds all images of a project, for those who go on to run them. `timings` gets what `--timings` writes.
pub(crate) fn images_of(files: &[PathBuf], timings: Option<PathBuf>) -> Result<ExitCode> {
    run(&BuildArgs { files: files.to_vec(), timings, ..BuildArgs::default() })
}

fn plan(args: &BuildArgs) -> Result<Plan> {
    let request = ProjectRequest {
        files: args.files.clone(),
        env_files: args.env_files.clone(),
        profiles: args.profiles.clone(),
        name: args.project_name.clone(),
        services: args.images.clone(),
        environment: environment(),
        folder: std::env::current_dir().context("the current folder is gone")?,
    };
    let project = Project::load(&request)?;
    for name in &project.unset_variables {
        output::say(format_args!("warning: the variable {name} is not set and counts as empty"));
    }
    let plan = Plan::new(project, args)?;
    check::refuse_missing_files(&plan)?;
    Ok(plan)
}

/// Variables that are not text cannot stand in a compose file.
pub(crate) fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

async fn build(plan: &Plan, args: &BuildArgs) -> Result<ExitCode> {
    let engine = crate::engine::connect_or_start().await?;
    let builders = builders_elsewhere(args).await?;
    refuse_impossible(&engine, plan)?;
    if let Some(folder) = &args.timings {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("the folder {} for the timings cannot be made", folder.display()))?;
    }
    let interrupt = CancellationToken::new();
    let options =
        BuildOptions { keep_going: args.keep_going, verify: args.verify, builders, interrupt: interrupt.clone() };
    let interrupted = interrupt.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            interrupt.cancel();
        }
    });

    let clock = Clock::start();
    let names = plan.images.iter().map(|image| image.name.as_str());
    let mut record = BuildRecord::new(&plan.project, &engine.version, clock.began, names);
    let (sender, mut events) = mpsc::unbounded_channel();
    let mut progress = Progress::new(args.progress, &record);
    let watching = async {
        while let Some(event) = events.recv().await {
            record.apply(&event);
            progress.show(&event, &record)?;
        }
        progress.finish()
    };
    let (built, watched) = tokio::join!(run::run(&engine, plan, options, clock, sender), watching);
    record.finish(clock.now());
    report(plan, &record, args, interrupted.is_cancelled())?;
    built?;
    watched?;
    Ok(exit_code(&record, interrupted.is_cancelled()))
}

async fn builders_elsewhere(args: &BuildArgs) -> Result<Vec<Builder>> {
    let certificates = args.builder_certs.clone().or_else(certificates_of_environment);
    let opened = args.builders.iter().map(|address| Builder::at(address, certificates.as_deref()));
    join_all(opened).await.into_iter().collect()
}

/// What this engine cannot do is better said before the build than after it.
fn refuse_impossible(engine: &Engine, plan: &Plan) -> Result<()> {
    if !plan.builders.is_empty() {
        return Ok(());
    }
    let exports =
        plan.images.iter().find(|image| image.push || image.build.cache_to.iter().any(|store| store.kind != "inline"));
    let Some(image) = exports else {
        return Ok(());
    };
    if !engine.has_containerd_store {
        bail!(
            "the engine {} cannot export the cache of `{}` or push it: its image store knows the inline cache \
             only; switch the containerd image store on (`\"features\": {{\"containerd-snapshotter\": true}}` in \
             daemon.json)",
            engine.version,
            image.name
        );
    }
    Ok(())
}

fn report(plan: &Plan, record: &BuildRecord, args: &BuildArgs, interrupted: bool) -> Result<()> {
    if args.progress == ProgressStyle::Quiet {
        for image in &record.images {
            if let Some((digest, _)) = image.outcome.as_ref().and_then(ImageOutcome::image) {
                progress::data(digest)?;
            }
        }
    } else {
        output::say(format_args!("{}", render_table(record)));
    }
    if let Some(text) = failure_report::render(plan, record, interrupted) {
        output::say(format_args!("{text}"));
    }
    if let Err(error) = keep(record) {
        output::say(format_args!("warning: this build will be missing in `build history`: {error:#}"));
    }
    if let Some(folder) = &args.timings {
        write_files(record, folder)?;
    }
    Ok(())
}

fn exit_code(record: &BuildRecord, interrupted: bool) -> ExitCode {
    let is_there = |outcome: &Option<ImageOutcome>| outcome.as_ref().and_then(ImageOutcome::image).is_some();
    if record.images.iter().all(|image| is_there(&image.outcome)) {
        ExitCode::SUCCESS
    } else if interrupted {
        ExitCode::from(INTERRUPTED)
    } else {
        ExitCode::from(FAILED)
    }
}
