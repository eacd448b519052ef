//! What can be typed after `cargo xtask`.

mod benches;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub(crate) use benches::{BenchApisFlags, BenchJobsFlags, BenchSpeechFlags};

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 failed, 2 wrong use or system packages that you have to install, 130 interrupted.
Whatever is downloaded lies in LONGHAND_CACHE, or `longhand` in your cache folder, and is fetched once.";

/// Set up, try, develop and test Longhand.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, after_help = EXIT_CODES)]
pub(crate) struct Xtask {
    #[command(subcommand)]
    pub(crate) task: Task,
}

/// All verbs. Those with [`ToolArguments`] are the image tool's; what their flags are is for it to say.
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
    /// Measure what load the HTTP services sustain
    BenchApis(BenchApisFlags),
    /// Measure what the optimised images save, against plain Dockerfiles and other builders
    BenchBuild(ToolArguments),
    /// Install missing system packages, build the programs, fetch Temporal and the models
    #[command(after_help = EXIT_CODES)]
    Setup,
    /// Build a compose project, start it in containers, and wait until it is healthy
    Up(ToolArguments),
    /// Stop what `up` started
    Down(ToolArguments),
    /// Restart services that `up` started
    Restart(ToolArguments),
    /// Show what the services wrote
    Logs(ToolArguments),
    /// Show how the services are
    Status(ToolArguments),
    /// Build the images of a compose project in parallel
    Build(ToolArguments),
    /// Make the base images that a project needs and no registry gives
    Bases(ToolArguments),
    /// Tell what every task needs, and how to get what is missing
    Doctor(DoctorFlags),
    /// Tell what makes the images of a compose project slow to build, and what mending it saves
    Lint(ToolArguments),
    /// Show what builds, what it keeps and what it would drop; configure and prune it
    Builder(ToolArguments),
    /// Install and start a container engine, where it can be done here
    Engine(ToolArguments),
}

// No doc comment: clap would show it in place of the verbs'.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct ToolArguments {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    _arguments: Vec<String>,
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

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo xtask doctor
  cargo xtask doctor --json

Exit codes: 0 all main tasks can run, if need be after installing something themselves; 1 one cannot.")]
pub(crate) struct DoctorFlags {
    /// Print the findings as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

impl Xtask {
    /// Understands a whole command line, the program's name included.
    ///
    /// # Errors
    /// Wrong use, or a request for help, in clap's words.
    pub(crate) fn parse_line(line: &[String]) -> Result<Self, clap::Error> {
        // Of the image tool's verbs clap knows no more here than their names.
        if let [program, help, verb] = line
            && help == "help"
        {
            return Self::parse_line(&[program.clone(), verb.clone(), "--help".to_owned()]);
        }
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::{Task, Xtask};
    use crate::workspace;

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
    fn the_image_tool_gets_its_flags_and_requests_for_help() {
        for typed in [vec!["build", "--help"], vec!["help", "build"], vec!["build", "-j", "4", "--", "history"]] {
            let parsed = Xtask::parse_line(&owned([vec!["xtask"], typed.clone()].concat()));
            assert!(matches!(parsed, Ok(Xtask { task: Task::Build(_) })), "{typed:?}");
        }
    }

    #[test]
    fn the_image_tool_has_the_verbs_that_are_listed_here() {
        let list = workspace::root().join("xtask/slipway/src/flags.rs");
        let list = std::fs::read_to_string(list).unwrap();
        for verb in Xtask::command().get_subcommands().filter(|verb| verb.is_disable_help_flag_set()) {
            let about = verb.get_about().unwrap();
            assert!(list.contains(&format!("    /// {about}\n")), "{}: {about}", verb.get_name());
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
