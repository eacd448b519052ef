//! A compose project as containers: up, status, restart, logs and down, with a real engine.

use std::{fs, net::TcpListener, process::Output, time::Instant};

use serde_json::Value;
use tasks::free_port;

use crate::{
    engine::{TestProject, docker},
    tool::{repository, stderr, stdout, tool},
};

const STAYS: &str = "command: [/bin/sleep, '600'], stop_grace_period: 0s";
const HEALTHY: &str =
    "healthcheck: {test: [CMD, /bin/ls, /unique], interval: 1s, start_interval: 1s, start_period: 5s}";

/// A project that is taken down when its test ends.
struct RunningProject(TestProject);

impl RunningProject {
    fn new() -> Option<Self> {
        let project = TestProject::new()?;
        project.write("Dockerfile", "FROM scratch\nCOPY root /\n");
        Some(Self(project))
    }

    fn run(&self, arguments: &[&str]) -> Output {
        tool(self.0.path()).env("SLIPWAY_CACHE", self.0.cache()).args(arguments).output().unwrap()
    }

    #[track_caller]
    fn check(&self, arguments: &[&str], code: i32) -> Output {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}{}", stdout(&output), stderr(&output));
        output
    }

    /// What `status --json` says of a service.
    fn row(&self, service: &str) -> Value {
        let rows: Value = serde_json::from_slice(&self.run(&["status", "--json"]).stdout).unwrap();
        rows.as_array().unwrap().iter().find(|row| row["service"] == service).unwrap().clone()
    }

    fn started_at(&self, service: &str) -> String {
        let container = self.row(service)["container"].as_str().unwrap().to_owned();
        stdout(&docker(&["inspect", "--format", "{{.State.StartedAt}}", &container]))
    }
}

impl Drop for RunningProject {
    fn drop(&mut self) {
        self.run(&["down", "--volumes"]);
    }
}

#[test]
fn a_project_goes_up_is_watched_restarted_and_taken_down() {
    let Some(project) = RunningProject::new() else { return };
    let port = free_port().unwrap();
    project.0.compose(&format!(
        "services:\n  web: {{build: ., {STAYS}, {HEALTHY}, mem_limit: 64m, ports: ['127.0.0.1:{port}:80'], depends_on: {{store: {{condition: service_healthy}}}}}}\n  \
         store: {{build: ., {STAYS}, {HEALTHY}}}\n  talker: {{build: ., command: [/bin/sh, -c, 'echo spoken; exec sleep 600'], stop_grace_period: 0s}}\n  \
         tool: {{build: ., scale: 0}}\n"
    ));
    project.check(&["status"], 1);
    project.check(&["restart"], 2);
    let up = project.check(&["up"], 0);
    let table = stdout(&up);
    for expected in
        ["service", "address", "health", "memory", &format!("127.0.0.1:{port}"), "healthy", "running", "of 64 MiB"]
    {
        assert!(table.contains(expected), "{expected} in\n{table}");
    }
    assert!(!table.contains("tool"), "{table}");
    let web = project.row("web");
    assert_eq!((&web["health"], &web["is_well"]), (&"healthy".into(), &true.into()));
    assert_eq!(web["memory_limit_bytes"], 64 << 20);

    let before = [project.started_at("web"), project.started_at("store")];
    project.check(&["restart", "web"], 0);
    assert_ne!(project.started_at("web"), before[0]);
    assert_eq!(project.started_at("store"), before[1], "only the named service is restarted");

    assert!(stdout(&project.check(&["logs", "talker"], 0)).contains("spoken"));
    // Once more changes nothing, and its own ports are no obstacle.
    project.check(&["up", "--no-build"], 0);
    project.check(&["down"], 0);
    assert_eq!(project.row("web")["health"], "not there");
}

#[test]
fn a_service_that_does_not_get_healthy_is_named_with_its_last_words() {
    let Some(project) = RunningProject::new() else { return };
    project.0.compose(&format!(
        "services:\n  good: {{build: ., {STAYS}}}\n  \
         bad: {{build: ., command: [/bin/sh, -c, 'echo no such luck; exit 3']}}\n"
    ));
    let output = project.check(&["up"], 1);
    let said = stderr(&output);
    for expected in ["bad is exited with code 3; its last lines:", "no such luck", "is not up"] {
        assert!(said.contains(expected), "{expected} in\n{said}");
    }
    assert!(stdout(&output).contains("good"));
    project.check(&["status"], 1);
}

#[test]
fn a_taken_port_is_named_before_anything_is_built() {
    let Some(project) = RunningProject::new() else { return };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    project.0.compose(&format!("services:\n  web: {{build: ., {STAYS}, ports: ['{address}:80']}}\n"));
    let said = stderr(&project.check(&["up"], 2));
    assert!(said.contains(&format!("`web` wants {address}, where another program listens")), "{said}");
    assert!(!said.contains("built in"), "{said}");
}

#[test]
fn a_variant_is_laid_over_says_what_it_leaves_out_and_is_remembered() {
    let Some(project) = RunningProject::new() else { return };
    project.0.compose(&format!(
        "services:\n  own: {{build: ., {STAYS}}}\n  foreign: {{image: 'registry.invalid/none:1'}}\n"
    ));
    assert!(stderr(&project.check(&["up", "--air-gapped"], 2)).contains("compose.air-gapped.yaml, which is not there"));
    project
        .0
        .write("compose.air-gapped.yaml", "services:\n  foreign: !reset null\nx-left-out: {foreign: nobody has it}\n");
    let up = project.check(&["up", "--air-gapped"], 0);
    assert!(stderr(&up).contains("left out: foreign: nobody has it"), "{}", stderr(&up));
    // The files that it was started with are asked of the engine.
    project.check(&["status"], 0);
    let without = project.check(&["up", "--no-build"], 1);
    assert!(stdout(&without).contains("not there"), "{}", stdout(&without));
    assert!(stderr(&without).contains("hint: where no image registry can be reached"), "{}", stderr(&without));
}

/// With the script that compiles this workspace's own programs.
#[test]
fn a_changed_source_is_compiled_and_live_after_the_restart_of_its_service_alone() {
    let Some(project) = RunningProject::new() else { return };
    let workspace = repository();
    let script = workspace.join("compose/dev/compile");
    fs::create_dir_all(project.0.path().join("compose/dev")).unwrap();
    fs::copy(&script, project.0.path().join("compose/dev/compile")).unwrap();
    project.0.write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"workers/*\"]\n");
    project.0.write("Cargo.lock", "version = 4\n\n[[package]]\nname = \"one\"\nversion = \"0.0.0\"\n\n[[package]]\nname = \"two\"\nversion = \"0.0.0\"\n");
    let program = |name: &str, version: &str| {
        let main = format!("fn main() {{ println!(\"{name} {version}\"); std::thread::park(); }}\n");
        project.0.write(&format!("workers/{name}/src/main.rs"), &main);
    };
    for name in ["one", "two"] {
        let manifest = format!("[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n");
        project.0.write(&format!("workers/{name}/Cargo.toml"), &manifest);
        program(name, "A");
    }
    project.0.write("Dockerfile", "FROM rust:1-slim-trixie\n");
    let runs = |name: &str| {
        format!(
            "{{image: 'rust:1-slim-trixie', entrypoint: [/programs/{name}], stop_grace_period: 0s, volumes: ['programs:/programs:ro']}}"
        )
    };
    project.0.compose(&format!("services:\n  one: {}\n  two: {}\nvolumes: {{programs: }}\n", runs("one"), runs("two")));
    project.0.write(
        "compose.dev.yaml",
        "x-compiler: compiler\nservices:\n  compiler: {build: ., scale: 0, entrypoint: [/workspace/compose/dev/compile], \
         environment: {CARGO_TARGET_DIR: /target}, volumes: ['.:/workspace:ro', 'target:/target', 'programs:/programs']}\n\
         volumes: {target: }\n",
    );
    project.check(&["up", "--dev"], 0);
    assert!(stdout(&project.check(&["logs", "one"], 0)).contains("one A"));
    let before = project.started_at("two");
    program("one", "B");
    program("two", "B");
    let began = Instant::now();
    project.check(&["restart", "one"], 0);
    println!("live after {:.1} s", began.elapsed().as_secs_f64());
    assert!(stdout(&project.check(&["logs", "one"], 0)).contains("one B"));
    assert_eq!(project.started_at("two"), before);
    // What does not compile leaves what runs alone.
    project.0.write("workers/one/src/main.rs", "fn main() { nonsense }\n");
    let before = project.started_at("one");
    let failed = project.check(&["restart", "one"], 2);
    assert!(stderr(&failed).contains("what runs was left alone"), "{}", stderr(&failed));
    assert_eq!(project.started_at("one"), before);
}
