//! `cargo xtask bench-build`: what the optimised images save. It builds a copy of the project in an engine of its
//! own, plainly and optimised, through `cargo xtask build` and through other builders, in turns. It uses the build
//! tool as a user does, as a program, and knows nothing of its inside.

mod against_host;
mod base_images;
mod client;
mod comparison;
mod host;
mod machine;
mod own_engine;
mod page;
mod places;
mod process;
mod programs;
mod report;
mod runner;
mod scenario;
mod statistics;
mod subject;
mod tables;
mod variant;
mod working_copy;
mod workplace;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};

use crate::binaries::workspace;
use crate::halt::Halt;
use crate::interrupt::Interrupt;
use crate::output::say;
use comparison::{Comparison, Earlier, Verdict};
use machine::Machine;
use report::Report;
use runner::Runner;
use scenario::{Case, Scenario, cases, in_turn};
use subject::Subject;
use variant::{Rival, Variant};
use workplace::Workplace;

pub(crate) const EXAMPLES: &str = "\
Examples:
  cargo xtask bench-build --quick
  cargo xtask bench-build --runs 1 --scenario code --vs plain web
  cargo xtask bench-build --runs 5 --scenario code,no-op --vs plain,bake --compare earlier/bench.json
  cargo xtask bench-build -f compose.yaml --before plain/compose.yaml --out report/

The compose file that --before names builds the same services with Dockerfiles as they were before optimisation. Its
`x-bench` says which lines to change between builds, and how one builds the same programs without images;
benches/before/compose.yaml is an example.

The sources are changed in a copy, and the images are built in an engine of the bench's own, which needs root; your
tree, your engine and its cache are left alone. TMPDIR names the folder for both, /var/tmp where it is not set.

With --compare a case counts as slower when its median has grown by more than 5 % and 50 ms and the chance that equally
fast builds come out so far apart (Mann-Whitney test, one-sided) is at most 5 %; that takes three rounds on both sides.";

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
    vs: Vec<Rival>,
    /// Only builds without a change and after a change of one service's code, three times
    #[arg(long)]
    quick: bool,
    /// Folder for bench.json, bench.md and bench.html, which are rewritten after each measurement;
    /// target/bench-build of this workspace where none is named
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Fail when a build is slower than in this earlier bench.json, beyond the noise
    #[arg(long, value_name = "FILE")]
    compare: Option<PathBuf>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    /// Compose file with the optimised images of another project
    #[arg(short, long, value_name = "FILE", requires = "before")]
    file: Option<PathBuf>,
    /// Compose file with the plain Dockerfiles of that project
    #[arg(long, value_name = "FILE", requires = "file")]
    before: Option<PathBuf>,
}

/// All that has to be right before anything is started.
struct Bench {
    subject: Subject,
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
    let bench = prepare(args).map_err(|error| Halt::YourTurn(format!("{error:#}")))?;
    let interrupt = Interrupt::catch()?;
    let workplace = Workplace::take()?;
    let machine = Machine::look();
    let mut runner = Runner::new(&bench.subject, &bench.variants, &workplace, &bench.docker, &interrupt)?;
    let tools = runner.tools()?;
    let mut report = Report::new(&bench.subject.project, bench.rounds, &bench.variants, machine, tools);
    report.plan(&bench.subject.seed_rows(), bench.not_measured.clone());
    let measured = measure_all(&bench, &mut runner, &mut report);
    if !report.measurements.is_empty() {
        say(format_args!("the report is in {}", bench.out.display()));
    }
    measured?;
    report.complete = true;
    report.write(&bench.out)?;
    report.print(args.json)?;
    bench.earlier.map_or(Ok(()), |earlier| judge(&earlier, &report, &bench.cases))
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
                report.write(&bench.out)?;
            }
        }
    }
    Ok(())
}

fn prepare(args: &BenchBuildArgs) -> Result<Bench> {
    let own = |path: &str| workspace().join(path);
    let compose_file = args.file.clone().unwrap_or_else(|| own("compose/compose.yaml"));
    let before_file = args.before.clone().unwrap_or_else(|| own("benches/before/compose.yaml"));
    let earlier = args.compare.as_deref().map(Earlier::read).transpose()?;
    let subject = Subject::load(&compose_file, &before_file, &args.services)?;
    let (cases, not_measurable) = cases(&scenarios(args), &subject);
    let (variants, unknown_ways) = variants(&args.vs, &subject);
    let not_measured = [subject.missing.clone(), not_measurable, unknown_ways].concat();
    if cases.is_empty() {
        bail!("there is nothing to measure: {}", not_measured.join("; "));
    }
    subject.refuse_impossible(cases.iter().filter_map(|case| case.change(&subject)).cloned())?;
    own_engine::check_prerequisites()?;
    let docker = client::find(&variants)?;
    let out = args.out.clone().unwrap_or_else(|| own("target/bench-build"));
    fs::create_dir_all(&out).with_context(|| format!("the folder {} cannot be made", out.display()))?;
    let rounds = args.runs.unwrap_or(if args.quick { QUICK_RUNS } else { RUNS });
    Ok(Bench { subject, docker, variants, cases, not_measured, rounds, earlier, out })
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

/// What is measured, `cargo xtask build` always, and what cannot be.
fn variants(rivals: &[Rival], subject: &Subject) -> (Vec<Variant>, Vec<String>) {
    let wanted: Vec<Variant> = rivals.iter().map(|rival| Variant::from(*rival)).collect();
    let is_wanted = |variant: &Variant| *variant == Variant::Xtask || wanted.is_empty() || wanted.contains(variant);
    let (known, unknown): (Vec<_>, Vec<_>) = Variant::ALL
        .into_iter()
        .filter(is_wanted)
        .partition(|variant| *variant != Variant::Host || subject.bench.host.is_some());
    let reason = |variant: &Variant| format!("{}: x-bench names no command for it (`host`)", variant.name());
    (known, unknown.iter().map(reason).collect())
}

/// # Errors
/// A case that has become slower.
fn judge(earlier: &Earlier, report: &Report, cases: &[Case]) -> Result<()> {
    if !earlier.is_of(&report.machine) {
        say(format_args!("warning: the earlier bench ran on another machine"));
    }
    let comparisons = earlier.compare(&report.measurements, cases);
    for comparison in &comparisons {
        say(format_args!("{comparison}"));
    }
    let is_slower = |comparison: &&Comparison| comparison.verdict == Verdict::Slower;
    let slower: Vec<String> = comparisons.iter().filter(is_slower).map(|one| one.case.to_string()).collect();
    if !slower.is_empty() {
        bail!("slower than before: {}", slower.join("; "));
    }
    Ok(())
}
