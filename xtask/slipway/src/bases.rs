//! `slipway bases`: where no registry answers, makes the base images that a project's
//! Dockerfiles name out of Debian's packages and the installed Rust toolchain. It knows how such an
//! image comes about, and nothing of how the images on top of it are built.

mod archive;
mod certificates;
mod host;
mod needed;
mod packages;
mod recipe;
mod reference;
mod root;
mod suites;
mod toolchain;

use std::{collections::BTreeMap, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result, bail};
use clap::Args;
use tasks::{
    Halt,
    output::{print, say},
};

use crate::{
    buildkit::Engine,
    compose::{BuildSection, Project, ProjectRequest},
    name::{Name, as_typed},
};
use needed::Needed;
pub(crate) use needed::of_build as bases_of_build;
pub(crate) use packages::PACKAGES;
use recipe::Recipe;
use reference::Reference;

#[derive(Debug, Args)]
#[command(after_help = as_typed("\
Examples:
  slipway bases
  slipway bases -f compose.yaml --list
  slipway bases --offline

`slipway build` does the same by itself when it finds that no registry answers.
Exit codes: 0 done, 1 failed, 2 wrong use, or something that you have to do first."))]
pub(crate) struct BasesArgs {
    /// Compose file; later ones are laid over earlier ones
    #[arg(short, long = "file", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Make the images without asking a registry for them
    #[arg(long)]
    offline: bool,
    /// Only tell which base images are needed, by whom, and where they come from
    #[arg(long)]
    list: bool,
}

/// Runs the verb: what was made here before is made anew, so that it has today's packages.
pub(crate) fn run(args: &BasesArgs) -> Result<ExitCode> {
    let request = ProjectRequest {
        files: args.files.clone(),
        environment: std::env::vars().collect(),
        folder: std::env::current_dir().context("the current folder is gone")?,
        ..ProjectRequest::default()
    };
    let needed = needed_by_project(&request).map_err(Halt::action_required)?;
    let runtime = tokio::runtime::Runtime::new().context("no threads for the connection")?;
    runtime.block_on(async {
        let engine = crate::engine::connect_or_start().await.map_err(Halt::action_required)?;
        if args.list {
            return list(&engine, &needed).await;
        }
        let sources = Sources { offline: args.offline, renew: true };
        let lacking = provide(&engine, &needed, sources, &|line| say(format_args!("{line}"))).await?;
        if lacking.is_empty() { Ok(()) } else { bail!("{}", lacking.join("\n")) }
    })?;
    Ok(ExitCode::SUCCESS)
}

fn needed_by_project(request: &ProjectRequest) -> Result<BTreeMap<Reference, Needed>> {
    let project = Project::load(request)?;
    needed::of_project(project.services.iter().map(|service| (service.name.as_str(), &service.build)))
}

/// Provides what the images need and no registry gives; images that are in the engine's store are
/// left as they are. Returns a sentence on each base that cannot be had.
///
/// # Errors
/// A base image that could be made, and was not.
pub(crate) async fn make_where_no_registry_answers<'a>(
    engine: &Engine,
    images: impl Iterator<Item = (&'a str, &'a BuildSection)>,
    tell: &dyn Fn(String),
) -> Result<Vec<String>> {
    provide(engine, &needed::of_project(images)?, Sources { offline: false, renew: false }, tell).await
}

/// The versions of Rust that base images can be made with.
pub(crate) fn installed_rust() -> Vec<String> {
    toolchain::Toolchain::installed().into_iter().map(|toolchain| toolchain.version).collect()
}

/// Where base images may come from.
#[derive(Clone, Copy)]
struct Sources {
    /// No registry is asked.
    offline: bool,
    /// Images that were made here before are made again.
    renew: bool,
}

async fn provide(
    engine: &Engine,
    needed: &BTreeMap<Reference, Needed>,
    sources: Sources,
    tell: &dyn Fn(String),
) -> Result<Vec<String>> {
    let mut lacking = Vec::new();
    let mut recipes = Vec::new();
    for (reference, needed) in needed {
        match source(engine, reference, sources).await? {
            Source::Store => tell(format!("{reference} is in the engine's store")),
            Source::Registry => tell(format!("a registry has {reference}; the build takes it from there")),
            Source::Nowhere => match Recipe::find(reference) {
                Ok(recipe) => recipes.push((reference, recipe)),
                Err(reason) => lacking.push(format!(
                    "no registry answers for {reference}, which {needed} needs, and it cannot be made here: {reason}"
                )),
            },
        }
    }
    if !recipes.is_empty() {
        tokio::task::spawn_blocking(|| tasks::packages::ensure(&PACKAGES)).await??;
    }
    let because = if sources.offline { "" } else { "no registry answers: " };
    for (reference, recipe) in recipes {
        tell(format!("{because}making {reference} from {recipe}"));
        let digest = recipe.make(engine, reference).await.with_context(|| format!("{reference} could not be made"))?;
        tell(format!("made {reference}, {digest}"));
    }
    Ok(lacking)
}

/// What the history of an image made here begins with.
fn mark() -> String {
    format!("{} bases", Name::typed())
}

/// Whether the first step of an image's history says so, whichever name the program had.
fn is_made_here(first_step: &str) -> bool {
    Name::ALL.iter().any(|name| first_step.starts_with(&format!("{name} bases")))
}

enum Source {
    Store,
    Registry,
    Nowhere,
}

async fn source(engine: &Engine, reference: &Reference, sources: Sources) -> Result<Source> {
    let history = engine.first_step(&reference.to_string()).await?;
    let made_here = history.as_deref().is_some_and(is_made_here);
    if history.is_some() && !(made_here && sources.renew) {
        return Ok(Source::Store);
    }
    if sources.offline || !engine.registry_answers(&reference.to_string()).await? {
        return Ok(Source::Nowhere);
    }
    Ok(Source::Registry)
}

async fn list(engine: &Engine, needed: &BTreeMap<Reference, Needed>) -> Result<()> {
    let mut table = tabled::builder::Builder::default();
    table.push_record(["base image", "in the store", "without a registry", "needed by"]);
    for (reference, needed) in needed {
        let stored = match engine.first_step(&reference.to_string()).await? {
            Some(step) if is_made_here(&step) => "made here",
            Some(_) => "yes",
            None => "no",
        };
        let recipe = match Recipe::find(reference) {
            Ok(recipe) => format!("from {recipe}"),
            Err(reason) => format!("not: {reason}"),
        };
        table.push_record([reference.to_string(), stored.to_owned(), recipe, needed.to_string()]);
    }
    let mut table = table.build();
    table.with(tabled::settings::Style::blank());
    print(&format!("{table}\n"))?;
    Ok(())
}
