//! What can be typed after `cargo xtask`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::{
    bases::BasesArgs,
    bench_build::{self, BenchBuildArgs},
    bench_speech::Recogniser,
    build::BuildArgs,
    builder::BuilderArgs,
    containers::{DownArgs, LogsArgs, RestartArgs, StatusArgs, UpArgs},
    doctor::DoctorArgs,
    engine::EngineArgs,
    lint::{self, LintArgs},
};

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 failed, 2 wrong use or system packages that you have to install, 130 interrupted.
Whatever is downloaded lies in LONGHAND_CACHE, or `longhand` in your cache folder, and is fetched once.";

/// Set up, try, develop and test Longhand.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", after_help = EXIT_CODES)]
pub(crate) struct Xtask {
    #[command(subcommand)]
    pub(crate) task: Task,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Set everything up and run one job on a recording, from audio to summary
    Demo(DemoFlags),
    /// Run Temporal and all workers in the foreground until Ctrl-C
    Dev(DevFlags),
    /// Set everything up and run every test
    Test(TestFlags),
    /// Measure accuracy, speed and memory on speech with exact transcripts
    BenchSpeech(BenchSpeechFlags),
    /// Measure what many jobs at once take, and how soon first words are there
    BenchJobs(BenchJobsFlags),
    /// Measure what the HTTP services bear
    BenchApis(BenchApisFlags),
    /// Measure what the optimised images save, against plain Dockerfiles and other builders
    #[command(after_help = format!("{}\n\n{EXIT_CODES}", bench_build::EXAMPLES))]
    BenchBuild(BenchBuildArgs),
    /// Install missing system packages, build the programs, fetch Temporal and the models
    #[command(after_help = EXIT_CODES)]
    Setup,
    /// Build a compose project, start it in containers, and wait until it is healthy
    Up(UpArgs),
    /// Stop what `up` started
    Down(DownArgs),
    /// Restart services that `up` started
    Restart(RestartArgs),
    /// Show what the services wrote
    Logs(LogsArgs),
    /// Show how the services are
    Status(StatusArgs),
    /// Build the images of a compose project in parallel
    #[command(after_help = EXIT_CODES)]
    Build(Box<BuildArgs>),
    /// Make the base images that a project needs and no registry gives
    Bases(BasesArgs),
    /// Tell what every task needs, and how to get what is missing
    Doctor(DoctorArgs),
    /// Tell what makes the images of a compose project slow to build, and what mending it saves
    #[command(after_help = lint::help())]
    Lint(LintArgs),
    /// Show what builds, what it keeps and what it would drop; configure and prune it
    #[command(after_help = EXIT_CODES)]
    Builder(BuilderArgs),
    /// Install and start a container engine, where it can be done here
    #[command(after_help = EXIT_CODES)]
    Engine(EngineArgs),
}

#[derive(Debug, Args)]
#[command(after_help = format!("\
Examples:
  cargo xtask demo
  cargo xtask demo --audio interview.mp3 --keep
  cargo xtask demo --json > result.json

{EXIT_CODES}"))]
pub(crate) struct DemoFlags {
    /// The recording; the repository's sample where none is named
    #[arg(long, value_name = "FILE")]
    pub(crate) audio: Option<PathBuf>,
    /// Print the job's result as JSON, and nothing else on stdout
    #[arg(long)]
    pub(crate) json: bool,
    /// Stay up afterwards, until Ctrl-C, for a look at Temporal's web interface
    #[arg(long)]
    pub(crate) keep: bool,
}

#[derive(Debug, Args)]
#[command(after_help = format!("\
Examples:
  cargo xtask dev
  cargo xtask dev --port 7300

Jobs, audio and logs are kept in `longhand` in your data folder; logs also go to its `logs` folder.

{EXIT_CODES}"))]
pub(crate) struct DevFlags {
    /// Temporal's port; its web interface listens 1000 above it, the HTTP services 767 and 768.
    /// 7233 where none is named, or the next free one
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=64535))]
    pub(crate) port: Option<u16>,
}

#[derive(Debug, Args)]
#[command(after_help = format!("\
Examples:
  cargo xtask test
  cargo xtask test -p engine
  cargo xtask test pipeline -- --nocapture

{EXIT_CODES}"))]
pub(crate) struct TestFlags {
    /// Passed on to `cargo test`; every package is tested where none is named
    #[arg(allow_hyphen_values = true, value_name = "CARGO TEST ARGUMENTS")]
    pub(crate) for_cargo: Vec<String>,
    /// What was typed after `--`: passed on to the tests
    #[arg(skip)]
    pub(crate) for_tests: Vec<String>,
}

impl Xtask {
    /// Understands a whole command line, the program's name included.
    ///
    /// # Errors
    /// Wrong use, or a request for help, in clap's words.
    pub(crate) fn parse_line(line: &[String]) -> Result<Self, clap::Error> {
        // For clap a `--` among arguments that may begin with a dash is just another argument.
        let end = line.iter().position(|word| word == "--").unwrap_or(line.len());
        let mut parsed = Self::try_parse_from(&line[..end])?;
        match &mut parsed.task {
            Task::Test(flags) => flags.for_tests = line.iter().skip(end + 1).cloned().collect(),
            _ if end < line.len() => return Self::try_parse_from(line),
            _ => {}
        }
        Ok(parsed)
    }
}

#[derive(Debug, Args)]
#[command(after_help = format!("\
Examples:
  cargo xtask bench-speech --runs 3
  cargo xtask bench-speech --corpus speech/ --peers --out report.json

{EXIT_CODES}"))]
pub(crate) struct BenchSpeechFlags {
    /// Folder with dense.flac, dense.txt, sparse.flac and sparse.txt, from the workspace on
    #[arg(long, value_name = "DIR", default_value = "../shared/corpus")]
    pub(crate) corpus: PathBuf,
    /// How often each recording is transcribed
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) runs: u32,
    /// Recognisers that are measured, in turns, separated by commas; ctranslate2 takes minutes to be built in
    #[arg(long, value_name = "NAMES", value_delimiter = ',', default_value = "whisper")]
    pub(crate) recogniser: Vec<Recogniser>,
    /// Also run faster-whisper with the same weights, in turns
    #[arg(long)]
    pub(crate) peers: bool,
    /// Also ingest a recording of so many hours, for the memory it takes
    #[arg(long, value_name = "HOURS", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) long: Option<u32>,
    /// Rewrite this file with all measurements after each of them
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Print the measurements as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = format!("\
Examples:
  cargo xtask bench-jobs
  cargo xtask bench-jobs --jobs 200 --peers --json

{EXIT_CODES}"))]
pub(crate) struct BenchJobsFlags {
    /// Jobs in which nothing is left to recognise
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) jobs: u32,
    /// Clips that are submitted at once
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub(crate) clips: u32,
    /// Folder with the recordings that the hour is made of
    #[arg(long, value_name = "DIR", default_value = "../shared/corpus")]
    pub(crate) corpus: PathBuf,
    /// Also run as many workflows with Temporal's Python SDK
    #[arg(long)]
    pub(crate) peers: bool,
    /// Print the measurements as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = format!("\
Examples:
  cargo xtask bench-apis
  cargo xtask bench-apis --uploads 50 --json

{EXIT_CODES}"))]
pub(crate) struct BenchApisFlags {
    /// Seconds in which one job is asked for again and again
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=60))]
    pub(crate) seconds: u32,
    /// Event streams that are open at once
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub(crate) streams: u32,
    /// Recordings of 5 MB that are uploaded at once
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub(crate) uploads: u32,
    /// Print the measurements as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::{Task, Xtask};

    #[test]
    fn the_flags_are_consistent() {
        Xtask::command().debug_assert();
    }

    #[test]
    fn arguments_of_cargo_test_are_passed_on_as_typed() {
        for (typed, for_cargo, for_tests) in [
            (vec!["test"], vec![], vec![]),
            (vec!["test", "-p", "engine"], vec!["-p", "engine"], vec![]),
            (vec!["test", "--", "--nocapture"], vec![], vec!["--nocapture"]),
            (vec!["test", "pipeline", "--", "--test-threads", "1"], vec!["pipeline"], vec!["--test-threads", "1"]),
        ] {
            let parsed = Xtask::parse_line(&owned([vec!["xtask"], typed.clone()].concat())).unwrap();
            let Task::Test(flags) = parsed.task else { panic!("{typed:?} is no test") };
            assert_eq!((flags.for_cargo, flags.for_tests), (owned(for_cargo), owned(for_tests)), "{typed:?}");
        }
    }

    #[test]
    fn only_tests_take_arguments_after_a_double_dash() {
        assert!(Xtask::parse_line(&owned(vec!["xtask", "demo", "--", "--json"])).is_err());
    }

    fn owned(words: Vec<&str>) -> Vec<String> {
        words.into_iter().map(str::to_owned).collect()
    }
}
