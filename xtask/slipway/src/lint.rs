//! `slipway lint`: tells what makes the images of a compose project slow to build, or their
//! builds unsure, and what mending it saves. Files go one way: parsed, looked at by rules, whose
//! findings are shown. A build is neither needed nor begun.

mod buildkit_checks;
mod finding;
mod fix;
mod past_builds;
mod programs;
mod project;
mod render;
mod rules;
mod suppression;
mod uv;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use tasks::output;

use crate::{
    compose::{Project, ProjectRequest},
    name::{Name, as_typed},
    timings::find_build,
};
use finding::{Report, Severity};
use past_builds::PastBuilds;
use project::LintedProject;

const FOUND: u8 = 1;

/// Tell what makes the images of a compose project slow to build, and what mending it saves.
#[derive(Debug, Args)]
pub(crate) struct LintArgs {
    /// Services to look at; all of them where none is named
    #[arg(value_name = "IMAGE")]
    images: Vec<String>,
    /// Compose file; later ones are laid over earlier ones
    #[arg(short, long = "file", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Profile to enable
    #[arg(long = "profile", value_name = "NAME")]
    profiles: Vec<String>,
    /// File of variables, instead of the .env beside the compose file
    #[arg(long = "env-file", value_name = "FILE")]
    env_files: Vec<PathBuf>,
    /// How to print the findings
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Write the .dockerignore and the cache mounts that are sure to do no harm, and show the change
    #[arg(long)]
    fix: bool,
    /// Take savings from this build's times: its number in `build history`, its build.json, or the folder that holds
    /// one; from all builds of the project that are kept where none is named
    #[arg(long, value_name = "BUILD")]
    timings: Option<String>,
    /// Rule to leave out, by its name or hadolint's
    #[arg(long, value_name = "RULE")]
    ignore: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    Text,
    Json,
    Sarif,
}

/// What `--help` says below the flags.
pub(crate) fn help() -> String {
    let rules = rules::RULES.iter().map(|rule| {
        let code = rule.code.map(|code| format!(" ({code})")).unwrap_or_default();
        format!("  {:<27} {}{code}\n", rule.name, rule.summary)
    });
    let examples = as_typed(
        "Examples:\n  slipway lint\n  slipway lint -f compose.yaml web --timings out/\n  slipway lint --fix\n  \
         slipway lint --format sarif > lint.sarif\n\n",
    );
    format!(
        "{examples}\
         Rules:\n{}  {:<27} what BuildKit checks itself, where an engine answers\n\n\
         A comment above an instruction silences rules for it: # lint: ignore=RULE,RULE\n\n\
         Exit codes: 0 nothing found but notes, 1 warnings or errors found, 2 wrong use.",
        rules.collect::<String>(),
        "buildkit-..."
    )
}

/// Runs the verb.
pub(crate) fn run(args: &LintArgs) -> Result<ExitCode> {
    if let Some(unknown) = args.ignore.iter().find(|name| !rules::is_known(name)) {
        bail!("--ignore {unknown}: there is no such rule; `{} lint --help` lists them", Name::typed());
    }
    let mut report = check(args)?;
    if args.fix && fix::apply(&report)? > 0 {
        report = check(args)?;
    }
    let folder = current_folder()?;
    output::print(&match args.format {
        Format::Text => render::text(&report, &folder),
        Format::Json => render::json(&report, &folder)?,
        Format::Sarif => render::sarif(&report, &folder)?,
    })?;
    report.left_out.iter().for_each(|left_out| output::say(format_args!("left out: {left_out}")));
    output::say(format_args!("{}", render::summary(&report)));
    let found = report.findings.iter().any(|finding| finding.severity >= Severity::Warning);
    Ok(if found { ExitCode::from(FOUND) } else { ExitCode::SUCCESS })
}

fn check(args: &LintArgs) -> Result<Report> {
    let project = load(args)?;
    let mut report = Report::default();
    rules::apply(&project, &mut report);
    let runtime = tokio::runtime::Runtime::new().context("no threads for the engine's checks")?;
    runtime.block_on(buildkit_checks::add(&project, &mut report));
    report.findings.retain(|finding| !args.ignore.iter().any(|name| finding.rule.is_called(name)));
    suppression::apply(&project, &mut report);
    report.settle();
    Ok(report)
}

fn load(args: &LintArgs) -> Result<LintedProject> {
    let request = ProjectRequest {
        files: args.files.clone(),
        env_files: args.env_files.clone(),
        profiles: args.profiles.clone(),
        name: None,
        services: args.images.clone(),
        environment: crate::build::environment(),
        folder: current_folder()?,
    };
    let project = Project::load(&request)?;
    let past_builds = past_builds(args.timings.as_deref(), &project.name)?;
    LintedProject::read(project, &past_builds)
}

fn past_builds(named: Option<&str>, project: &str) -> Result<PastBuilds> {
    let Some(named) = named else { return PastBuilds::of_project(project) };
    let mut past = PastBuilds::default();
    past.add(&find_build(named)?);
    Ok(past)
}

fn current_folder() -> Result<PathBuf> {
    std::env::current_dir().context("the current folder is gone")
}

/// As short as it can be written from this folder.
fn shown(path: &Path, folder: &Path) -> String {
    path.strip_prefix(folder).unwrap_or(path).display().to_string()
}
