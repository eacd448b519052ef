//! The bench of builds on a small project, with an engine of the bench's own.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::{
    builds::{runs, wait_until},
    engine::{TestProject, install_programs},
    tool::{projects, stderr, stdout, tool},
};

const FAILED: i32 = 1;
const UNUSABLE: i32 = 2;
const INTERRUPTED: i32 = 130;

/// Two services in a git repository, and a folder for what the bench keeps.
struct Bench {
    project: tempfile::TempDir,
    scratch: tempfile::TempDir,
}

impl Bench {
    /// None where the bench cannot start an engine; then the test says so, and fails where that is not allowed.
    fn new() -> Option<Bench> {
        TestProject::new()?;
        if !rustix::process::geteuid().is_root() {
            assert!(std::env::var_os("CI").is_none(), "only root can start an engine");
            println!("skipped: only root can start an engine");
            return None;
        }
        let project = tempfile::tempdir().unwrap();
        run(Command::new("cp").arg("-r").arg(projects().join("bench/.")).arg(project.path()));
        install_programs(&project.path().join("root"));
        run(Command::new("git").args(["init", "--quiet"]).arg(project.path()));
        Some(Bench { project, scratch: tempfile::tempdir().unwrap() })
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = tool(self.project.path());
        command.args(["bench-build", "--file", "compose.yaml", "--before", "before/compose.yaml", "--out"]);
        command.arg(self.out()).args(arguments.split_whitespace()).env("TMPDIR", self.scratch.path());
        command
    }

    fn run(&self, arguments: &str) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn out(&self) -> PathBuf {
        self.scratch.path().join("report")
    }

    fn report(&self) -> Value {
        serde_json::from_slice(&fs::read(self.out().join("bench.json")).unwrap()).unwrap()
    }

    /// Whether nothing is left of the bench's engine: no folder, no mount, no process.
    fn is_clean(&self) -> bool {
        let scratch = self.scratch.path().to_string_lossy().into_owned();
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let processes = Command::new("pgrep").args(["--full", &format!("{scratch}/slipway-bench/")]).output().unwrap();
        !self.scratch.path().join("slipway-bench").exists() && !mounts.contains(&scratch) && processes.stdout.is_empty()
    }
}

#[test]
fn a_bench_tells_what_the_optimised_builds_save() {
    let Some(bench) = Bench::new() else { return };
    let sources = || fs::read_to_string(bench.project.path().join("services/one.sh")).unwrap();
    let before = sources();
    let output = bench.run("--quick --runs 1 --scenario no-op,code,library,dependency,dockerignore-off,cold");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));

    let table = stdout(&output);
    let rows: Vec<&str> = table.lines().filter(|line| line.contains(" % ")).collect();
    assert!(rows.len() == 2 && rows[0].contains(" two ") && rows[1].contains(" one "), "{table}");
    assert!(table.contains("- three: there is no such service yet"), "{table}");

    let report = bench.report();
    let measurements = report["measurements"].as_array().unwrap();
    // Seven cases, for there are two services to change, in five variants; on the host nothing is ignored.
    assert_eq!(measurements.len(), 7 * 5 - 1, "{report:#}");
    for one in measurements {
        let expected = match one["scenario"].as_str().unwrap() {
            "no-op" => Value::Bool(false),
            "code" | "library" => Value::Bool(true),
            _ => continue,
        };
        assert_eq!(one["programs_differ"], expected, "{one}");
    }
    let against_host = report["results"].as_array().unwrap().iter().filter(|case| !case["against_host"].is_null());
    let holds: Vec<&Value> = against_host.map(|case| &case["against_host"]["holds"]).collect();
    assert_eq!(holds.len(), 6, "{report:#}");
    assert!(holds.iter().filter(|holds| holds.is_null()).count() == 2, "only without a change there is no limit");
    assert_eq!(report["complete"], true);
    for name in ["bench.md", "bench.html"] {
        assert!(bench.out().join(name).is_file(), "{name}");
    }
    assert_eq!(sources(), before, "the user's own tree was changed");
    assert!(bench.is_clean());
}

#[test]
fn an_interrupted_bench_keeps_its_report_and_leaves_nothing_else() {
    let Some(bench) = Bench::new() else { return };
    let mut running = bench.command("--quick --runs 99 --vs bake").stderr(Stdio::piped()).spawn().unwrap();
    let lines = std::io::BufRead::lines(std::io::BufReader::new(running.stderr.take().unwrap()));
    let mut lines = lines.map(Result::unwrap);
    lines.by_ref().find(|line| line.starts_with("round 1 of 99")).unwrap();
    kill_process(Pid::from_child(&running), Signal::INT).unwrap();
    let rest: Vec<String> = lines.collect();
    assert_eq!(running.wait().unwrap().code(), Some(INTERRUPTED), "{rest:?}");
    assert!(bench.is_clean());
    assert_eq!(bench.report()["complete"], false);
    assert!(!bench.report()["measurements"].as_array().unwrap().is_empty());
}

#[test]
fn a_bench_that_is_stopped_in_a_step_takes_the_step_with_it() {
    for signal in [Signal::INT, Signal::KILL] {
        let Some(bench) = Bench::new() else { return };
        let dockerfile = bench.project.path().join("before/one.Dockerfile");
        let plain = fs::read_to_string(&dockerfile).unwrap();
        let sleeper = format!("sleep 4{}", std::process::id());
        fs::write(&dockerfile, plain.replace("sleep 0.5", &sleeper)).unwrap();
        let mut running = bench.command("--runs 1 --scenario no-op --vs plain").stderr(Stdio::null()).spawn().unwrap();
        wait_until("the step does not begin", || runs(&sleeper));
        kill_process(Pid::from_child(&running), signal).unwrap();
        let code = running.wait().unwrap().code();
        if signal == Signal::KILL {
            // Nobody was left to clear away; the next bench does.
            fs::write(&dockerfile, plain).unwrap();
            let next = bench.run("--runs 1 --scenario no-op --vs plain");
            assert_eq!(next.status.code(), Some(0), "{}", stderr(&next));
        } else {
            assert_eq!(code, Some(INTERRUPTED));
        }
        assert!(!runs(&sleeper) && bench.is_clean(), "{signal:?}");
    }
}

#[test]
fn a_bench_fails_when_builds_have_become_slower() {
    let Some(bench) = Bench::new() else { return };
    let arguments = "--runs 3 --scenario library --vs bake";
    assert_eq!(bench.run(arguments).status.code(), Some(0));

    let mut faster = bench.report();
    for one in faster["measurements"].as_array_mut().unwrap() {
        one["seconds"] = (one["seconds"].as_f64().unwrap() / 100.0).into();
    }
    let earlier = bench.scratch.path().join("earlier.json");
    fs::write(&earlier, faster.to_string()).unwrap();
    let output = bench.run(&format!("{arguments} --json --compare {}", earlier.display()));
    assert_eq!(output.status.code(), Some(FAILED), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("error: slower than before: one line of shared code changed, all images"),
        "{}",
        stderr(&output)
    );
    assert_eq!(serde_json::from_str::<Value>(&stdout(&output)).unwrap(), bench.report());
}

#[test]
fn what_cannot_be_measured_is_said_before_anything_is_started() {
    let Some(bench) = Bench::new() else { return };
    let write = |path: &str, text: &str| fs::write(bench.project.path().join(path), text).unwrap();
    let check = |arguments: &str, expected: &str| {
        let output = bench.run(arguments);
        assert_eq!(output.status.code(), Some(UNUSABLE), "{}", stderr(&output));
        assert!(stderr(&output).contains(expected), "{expected}: {}", stderr(&output));
    };
    check("three", "have no service `three` in common; they have one, two");
    check("--compare nosuch.json", "nosuch.json cannot be read");
    check("--compare before/compose.yaml", "is no bench.json of bench-build");
    let before = fs::read_to_string(projects().join("bench/before/compose.yaml")).unwrap();
    write("before/compose.yaml", before.split("x-bench").next().unwrap());
    check("--scenario library", "x-bench names no change for it (`library`)");
    write("before/compose.yaml", &before.replace("from: 'hello'", "from: 'good morning'"));
    check("", "library/greeting.sh has no `good morning` that could be changed");
    write("before/compose.yaml", &before.replacen("{context: ..,", "{context: .., shm_size: 1m,", 1));
    check("", "`one`: `build.shm_size` has no place before optimisation");
    write("before/compose.yaml", "services: {other: {build: ..}}\n");
    check("", "have no service in common");
    fs::remove_dir_all(bench.project.path().join(".git")).unwrap();
    check("", "is in no git repository");
}

#[test]
fn a_bench_can_be_of_one_service_and_of_a_project_that_says_nothing_of_the_host() {
    let Some(bench) = Bench::new() else { return };
    let before = bench.project.path().join("before/compose.yaml");
    let text = fs::read_to_string(&before).unwrap();
    fs::write(&before, text.split("  host:").next().unwrap()).unwrap();
    let output = bench.run("--runs 1 --scenario code --vs plain,host two");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let report = bench.report();
    assert_eq!(report["variants"], json!(["before", "xtask"]));
    assert_eq!(report["not_measured"], json!(["host: x-bench names no command for it (`host`)"]));
    let measurements = report["measurements"].as_array().unwrap();
    assert!(measurements.len() == 2 && measurements.iter().all(|one| one["service"] == "two"), "{report:#}");
}

fn run(command: &mut Command) {
    assert!(command.status().unwrap().success(), "{command:?}");
}
