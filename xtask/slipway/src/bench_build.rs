//! `slipway bench-build`: what the optimised images save. It builds a copy of the project in an engine of its
//! own, plainly and optimised, through `slipway build` and through other builders, in turns. It uses the build
//! tool as a user does, as a program, and knows nothing of its inside.

mod against_host;
mod base_images;
mod client;
mod comparison;
mod environments;
mod host;
mod machine;
mod own_engine;
mod page;
mod process;
mod programs;
mod project;
mod report;
mod report_files;
mod runner;
mod scenario;
mod statistics;
mod tables;
mod variant;
mod work_dir;
mod working_copy;
mod working_tree;

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use tasks::{Halt, Interrupt, output::say};

use crate::compose::{ProjectRequest, files_of};
use comparison::{Comparison, ComparisonResult, Earlier};
use machine::Machine;
use project::BenchProject;
use report::Report;
use runner::Runner;
use scenario::{Case, Scenario, cases};
use variant::{Competitor, Variant, in_turn};
use work_dir::WorkDir;
use working_tree::top_of_working_tree;

pub(crate) const EXAMPLES: &str = "\
Examples:
  slipway bench-build --quick
  slipway bench-build --runs 1 --scenario code --vs plain web
  slipway bench-build --runs 5 --scenario code,no-op --vs plain,bake --compare earlier/bench.json
  slipway bench-build -f compose.yaml --before plain/compose.yaml --out report/

The compose file that --before names builds the same services with Dockerfiles as they were before optimisation. Its
`x-bench` says which lines to change between builds, and how one builds the same programs without images;
benches/before/compose.yaml is an example.

The sources are changed in a copy, and the images are built in an engine of the bench's own, which needs root; your
tree, your engine and its cache are left alone. TMPDIR names the folder for both, /var/tmp where it is not set.

With --compare a case counts as slower when its median has grown by more than 5 % and 50 ms and the chance that equally
fast builds come out so far apart (Mann-Whitney test, one-sided) is at most 5 %; that takes three rounds on both sides.";

/// Where the plain images of a repository are usually described.
const BEFORE: &str = "benches/before/compose.yaml";

const RUNS: u32 = 5;
const QUICK_RUNS: u32 = 3;
const QUICK_SCENARIOS: [Scenario; 2] = [Scenario::NoOp, Scenario::Code];

#[derive(Debug, Args)]
pub(crate) struct BenchBuildArgs {
    /// The services to build; all that both compose files build where none is named
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    /// How often each measurement is taken; 5 where it is not said, 3 with --quick
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    runs: Option<u32>,
    /// What to measure; everything where nothing is named
    #[arg(long = "scenario", value_enum, value_name = "SCENARIO", value_delimiter = ',')]
    scenarios: Vec<Scenario>,
    /// What to measure it against; everything where nothing is named
    #[arg(long, value_enum, value_name = "BUILDER", value_delimiter = ',')]
    vs: Vec<Competitor>,
    /// Only builds without a change and after a change of one service's code, three times
    #[arg(long)]
    quick: bool,
    /// Folder for bench.json, bench.md and bench.html, which are rewritten after each measurement;
    /// target/bench-build of the project where none is named
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Fail when a build is slower than in this earlier bench.json, beyond the noise
    #[arg(long, value_name = "FILE")]
    compare: Option<PathBuf>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    /// Compose file with the optimised images; that of the git repository you are in where none is named
    #[arg(short, long, value_name = "FILE", requires = "before")]
    file: Option<PathBuf>,
    /// Compose file with the plain Dockerfiles; benches/before/compose.yaml of the git repository you are in
    /// where none is named
    #[arg(long, value_name = "FILE", requires = "file")]
    before: Option<PathBuf>,
}

/// All that has to be right before anything is started.
struct Bench {
    project: BenchProject,
    docker: PathBuf,
    variants: Vec<Variant>,
    cases: Vec<Case>,
    not_measured: Vec<String>,
    rounds: u32,
    earlier: Option<Earlier>,
    out: PathBuf,
}

/// Takes every measurement, in turns, and rewrites the report after each.
pub(crate) fn run(args: &BenchBuildArgs) -> Result<()> {
    let bench = prepare(args).map_err(|error| Halt::ActionRequired(format!("{error:#}")))?;
    let interrupt = Interrupt::catch()?;
    let work_dir = WorkDir::take()?;
    let machine = Machine::detect();
    let mut runner = Runner::new(&bench.project, &bench.variants, &work_dir, &bench.docker, &interrupt)?;
    let tools = runner.tools()?;
    let mut report = Report::new(&bench.project.name, bench.rounds, &bench.variants, machine, tools);
    report.plan(&bench.project.seed_rows(), bench.not_measured.clone());
    let measured = measure_all(&bench, &mut runner, &mut report);
    if !report.measurements.is_empty() {
        say(format_args!("the report is in {}", bench.out.display()));
    }
    measured?;
    report.complete = true;
    report_files::write(&report, &bench.out)?;
    report_files::print(&report, args.json)?;
    bench.earlier.map_or(Ok(()), |earlier| fail_if_slower(&earlier, &report, &bench.cases))
}

/// A round after the other, so that whatever disturbs the machine for a while disturbs all variants.
fn measure_all(bench: &Bench, runner: &mut Runner, report: &mut Report) -> Result<()> {
    for round in 0..bench.rounds {
        for case in &bench.cases {
            for variant in in_turn(&bench.variants, round) {
                if !variant.takes_part_in(case.scenario) {
                    continue;
                }
                let measured = runner.measure(case, variant, round + 1)?;
                let (name, seconds) = (variant.name(), measured.seconds);
                say(format_args!("round {} of {}: {case}, {name}: {seconds:.2} s", round + 1, bench.rounds));
                report.add(measured);
                report_files::write(report, &bench.out)?;
            }
        }
    }
    Ok(())
}

fn prepare(args: &BenchBuildArgs) -> Result<Bench> {
    let (compose_file, before_file) = match (&args.file, &args.before) {
        (Some(compose_file), Some(before_file)) => (compose_file.clone(), before_file.clone()),
        _ => files_of_this_repository()?,
    };
    let earlier = args.compare.as_deref().map(Earlier::read).transpose()?;
    let project = BenchProject::load(&compose_file, &before_file, &args.services)?;
    let (cases, not_measurable) = cases(&scenarios(args), &project);
    let (variants, unknown_ways) = variants(&args.vs, &project);
    let not_measured = [project.missing.clone(), not_measurable, unknown_ways].concat();
    if cases.is_empty() {
        bail!("there is nothing to measure: {}", not_measured.join("; "));
    }
    project.refuse_impossible(cases.iter().filter_map(|case| case.change(&project)).cloned())?;
    own_engine::check_prerequisites()?;
    let docker = client::find(&variants)?;
    let out = args.out.clone().unwrap_or_else(|| project.root.join("target/bench-build"));
    fs::create_dir_all(&out).with_context(|| format!("the folder {} cannot be made", out.display()))?;
    let rounds = args.runs.unwrap_or(if args.quick { QUICK_RUNS } else { RUNS });
    Ok(Bench { project, docker, variants, cases, not_measured, rounds, earlier, out })
}

/// The compose files that are usual in a git repository, from its top on.
fn files_of_this_repository() -> Result<(PathBuf, PathBuf)> {
    let top = top_of_working_tree(&std::env::current_dir().context("the current folder is gone")?)?;
    let files = files_of(&ProjectRequest { folder: top.clone(), ..ProjectRequest::default() })?;
    let file = files.into_iter().next().context("there is no compose file")?;
    Ok((file, top.join(BEFORE)))
}

/// In an order in which what one builds serves those after it: a cold build fills the cache that the others need.
fn scenarios(args: &BenchBuildArgs) -> Vec<Scenario> {
    let mut scenarios = match (args.scenarios.is_empty(), args.quick) {
        (false, _) => args.scenarios.clone(),
        (true, true) => QUICK_SCENARIOS.to_vec(),
        (true, false) => Scenario::value_variants().to_vec(),
    };
    scenarios.sort();
    scenarios.dedup();
    scenarios
}

/// What is measured, `slipway build` always, and what cannot be.
fn variants(competitors: &[Competitor], project: &BenchProject) -> (Vec<Variant>, Vec<String>) {
    let wanted: Vec<Variant> = competitors.iter().map(|competitor| Variant::from(*competitor)).collect();
    let is_wanted = |variant: &Variant| *variant == Variant::Xtask || wanted.is_empty() || wanted.contains(variant);
    let (known, unknown): (Vec<_>, Vec<_>) = Variant::ALL
        .into_iter()
        .filter(is_wanted)
        .partition(|variant| *variant != Variant::Host || project.bench.host.is_some());
    let reason = |variant: &Variant| format!("{}: x-bench names no command for it (`host`)", variant.name());
    (known, unknown.iter().map(reason).collect())
}

/// # Errors
/// A case that has become slower.
fn fail_if_slower(earlier: &Earlier, report: &Report, cases: &[Case]) -> Result<()> {
    if !earlier.is_of(&report.machine) {
        say(format_args!("warning: the earlier bench ran on another machine"));
    }
    let comparisons = earlier.compare(&report.measurements, cases);
    for comparison in &comparisons {
        say(format_args!("{comparison}"));
    }
    let is_slower = |comparison: &&Comparison| comparison.result == ComparisonResult::Slower;
    let slower: Vec<String> = comparisons.iter().filter(is_slower).map(|one| one.case.to_string()).collect();
    if !slower.is_empty() {
        bail!("slower than before: {}", slower.join("; "));
    }
    Ok(())
}
