//! Builds of real projects by a real engine.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{
    engine::{BASE, TestProject, docker},
    tool::{stderr, stdout},
};

const FAILED: i32 = 1;
const INTERRUPTED: i32 = 130;
const PATIENCE: Duration = Duration::from_secs(30);

/// Several services with arguments, targets, an inline Dockerfile, a secret, labels, a context
/// of another folder, and an image that is built on another one.
fn varied_project() -> Option<TestProject> {
    let project = TestProject::new()?;
    project.write("Dockerfile", &format!(
        "{BASE}FROM base AS one\nARG WORD\nARG OWN=default\nRUN echo \"$WORD $OWN\" > /words\nCOPY --chmod=700 data/a.txt /a\n\
         FROM base AS two\nRUN --mount=type=secret,id=token cat /run/secrets/token > /seen\nCOPY data /data\n"
    ));
    project.write_inputs();
    project.write(".dockerignore", "*\n!data\n!root\n**/*.log\n");
    project.compose(
        "services:
  one:
    build: {context: ., target: one, args: {WORD: \"${WORD}\"}, labels: {org.example.note: here}}
  two:
    build:
      context: .
      target: two
      secrets: [token]
  inline:
    build:
      context: data
      additional_contexts: {one: 'service:one', other: ./other}
      dockerfile_inline: |
        FROM one
        COPY --from=other c.txt /c
        COPY a.txt /inline-a
secrets:
  token: {file: token}
",
    );
    Some(project)
}

#[test]
fn a_varied_project_builds_as_it_is() {
    let Some(project) = varied_project() else { return };
    let output = project.build("--progress plain");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let files = [
        ("one", "/words", "variable default\n"),
        ("one", "/a", "a"),
        ("two", "/seen", "open sesame"),
        ("two", "/data/deep/b.txt", "b"),
        ("two", "/data/ignored.log", ""),
        ("inline", "/words", "variable default\n"),
        ("inline", "/c", "c"),
        ("inline", "/inline-a", "a"),
    ];
    for (image, path, expected) in files {
        assert_eq!(project.file(image, path), expected, "{path} of {image}");
    }
    let label = "{{index .Config.Labels \"org.example.note\"}}";
    let inspected = docker(&["image", "inspect", "--format", label, &project.image("one")]);
    assert_eq!(stdout(&inspected).trim(), "here");
}

#[test]
fn what_a_shared_step_writes_is_shown_once() {
    let Some(project) = TestProject::new() else { return };
    project.write(
        "Dockerfile",
        &format!(
            "{BASE}FROM base AS shared\nRUN for word in one two three; do echo \"heard $word\"; sleep 0.5; done\n\
             FROM shared AS left\nFROM shared AS right\nRUN true\n"
        ),
    );
    project.compose(
        "services:
  left: {build: {context: ., target: left}}
  right: {build: {context: ., target: right}}
",
    );
    let output = project.build("--progress plain");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    for word in ["one", "two", "three"] {
        let heard = stderr(&output).lines().filter(|line| line.ends_with(&format!("heard {word}"))).count();
        assert_eq!(heard, 1, "{}", stderr(&output));
    }
}

#[test]
fn bake_makes_the_same_images() {
    let Some(project) = varied_project() else { return };
    let services = ["one", "two", "inline"];
    assert_eq!(project.build("--no-cache").status.code(), Some(0));
    let ours = services.map(|service| content(&project.image(service)));
    let baked = Command::new("docker")
        .args(["buildx", "bake", "--file", "compose.yaml", "--no-cache", "--allow=fs.read=*"])
        .current_dir(project.path())
        .output()
        .unwrap();
    assert!(baked.status.success(), "{}", stderr(&baked));
    for (service, ours) in services.iter().zip(ours) {
        assert_eq!(ours, content(&project.image(service)), "{service}");
    }
}

/// The files of an image with modes, owners and contents, and its configuration. Times of files
/// that steps make differ from build to build.
fn content(image: &str) -> (String, String) {
    let script = "cid=$(docker create \"$0\" /none) && docker export $cid | tar --to-command='echo $TAR_MODE \
                  $TAR_UID $TAR_GID $TAR_FILENAME $(sha256sum)' -x | sort; docker rm $cid >/dev/null";
    let files = Command::new("bash").args(["-c", script, image]).output().unwrap();
    let config = docker(&["image", "inspect", "--format", "{{json .Config}} {{.Architecture}}", image]);
    assert!(stdout(&files).contains("/bin/sh") || stdout(&files).contains("bin/sh"), "{}", stderr(&files));
    (stdout(&files), stdout(&config))
}

#[test]
fn every_key_of_the_build_section_reaches_the_engine() {
    let Some(project) = TestProject::new() else { return };
    project.write(
        "Dockerfile",
        &format!(
            "{BASE}RUN cat /etc/hosts > /hosts; cat /proc/mounts > /mounts; ls /sys/class/net > /net\n\
             RUN --mount=type=secret,id=renamed cat /run/secrets/renamed > /secret\nRUN cat /proc/uptime > /when\n"
        ),
    );
    let second_tag = project.image("tagged");
    project.compose(&format!(
        "services:
  keyed:
    build:
      context: .
      extra_hosts: [database=10.1.2.3, gateway:host-gateway]
      shm_size: 48m
      network: none
      tags: ['{second_tag}:v1']
      labels: [org.example.key=value]
      no_cache: true
      secrets: [{{source: word, target: renamed}}]
secrets:
  word: {{environment: TEST_SECRET_WORD}}
"
    ));
    let build = || {
        let output = project.command("--progress quiet").env("TEST_SECRET_WORD", "xyzzy").output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        project.file("keyed", "/when")
    };
    let first = build();
    let hosts = project.file("keyed", "/hosts");
    assert!(hosts.contains("10.1.2.3\tdatabase"), "{hosts}");
    assert!(hosts.contains("\tgateway") && !hosts.contains("host-gateway"), "{hosts}");
    assert!(
        project.file("keyed", "/mounts").lines().any(|line| line.contains("/dev/shm") && line.contains("size=49152k"))
    );
    assert_eq!(project.file("keyed", "/net").trim(), "lo");
    assert_eq!(project.file("keyed", "/secret"), "xyzzy");
    let label = docker(&["image", "inspect", "--format", "{{.Config.Labels}}", &format!("{second_tag}:v1")]);
    assert_eq!(stdout(&label).trim(), "map[org.example.key:value]");
    assert_ne!(first, build(), "no_cache took a step from the cache");
}

fn failing_project() -> Option<TestProject> {
    let project = TestProject::new()?;
    project.write(
        "Dockerfile",
        &format!(
            "{BASE}\nFROM base AS good\nRUN sleep 2\n\nFROM base AS bad\n# Counts and fails.\n\
         RUN i=0; while [ $i -lt 30 ]; do i=$((i+1)); echo line $i; done; exit 3\nCOPY root/unique /x\n"
        ),
    );
    project
        .compose("services:\n  bad: {build: {context: ., target: bad}}\n  good: {build: {context: ., target: good}}\n");
    Some(project)
}

#[test]
fn a_failure_is_told_with_its_step_its_lines_and_its_output() {
    let Some(project) = failing_project() else { return };
    let output = project.build("--progress quiet");
    assert_eq!(output.status.code(), Some(FAILED));
    let report = stderr(&output);
    for part in [
        "error: `bad` failed at [bad 1/2] RUN i=0;",
        "exit code: 3",
        "/Dockerfile:9\n",
        "     8 | # Counts and fails.\n>    9 | RUN i=0;",
        "    10 | COPY root/unique /x\n",
        "\n  line 11\n",
        "\n  line 30\n",
        "other images: `good` was cancelled",
        "hint: --keep-going",
    ] {
        assert!(report.contains(part), "{part} is missing in:\n{report}");
    }
    assert!(!report.contains("\n  line 10\n"), "{report}");
}

#[test]
fn the_others_are_built_to_the_end_if_asked() {
    let Some(project) = failing_project() else { return };
    let output = project.build("--keep-going --progress quiet");
    assert_eq!(output.status.code(), Some(FAILED));
    assert!(stderr(&output).contains("other images: `good` was built"), "{}", stderr(&output));
    assert!(stdout(&output).starts_with("sha256:"), "{}", stdout(&output));
    assert!(!project.file("good", "/unique").is_empty());
}

#[test]
fn an_image_is_skipped_when_what_it_is_built_on_fails() {
    let Some(project) = failing_project() else { return };
    project.compose(
        "services:
  bad: {build: {context: ., target: bad}}
  upon: {build: {context: ., dockerfile_inline: FROM bad, additional_contexts: {bad: 'service:bad'}}}
",
    );
    let output = project.build("--keep-going --progress quiet");
    assert_eq!(output.status.code(), Some(FAILED));
    assert!(stderr(&output).contains("`upon` was skipped, for it needs `bad`"), "{}", stderr(&output));
}

/// A build with a step that sleeps for a time that no other process sleeps for.
fn sleeping_project() -> Option<(TestProject, String)> {
    let project = TestProject::new()?;
    let duration = format!("3{}", std::process::id());
    project.write("Dockerfile", &format!("{BASE}ARG DURATION\nRUN sleep $DURATION\n"));
    let args = format!("{{DURATION: {duration}}}");
    project.compose(&format!("services:\n  sleeper: {{build: {{context: ., args: {args}}}}}\n"));
    Some((project, format!("sleep {duration}")))
}

pub(crate) fn runs(command_line: &str) -> bool {
    let found = Command::new("pgrep").args(["--full", "--exact", command_line]).output().unwrap();
    found.status.success()
}

pub(crate) fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn an_interrupt_or_a_kill_also_ends_the_solve_in_the_engine() {
    for (signal, code) in [(Signal::INT, Some(INTERRUPTED)), (Signal::KILL, None)] {
        let Some((project, sleeper)) = sleeping_project() else { return };
        let mut build = project.command("--progress plain").stderr(Stdio::piped()).spawn().unwrap();
        wait_until("the step does not begin", || runs(&sleeper));
        kill_process(Pid::from_child(&build), signal).unwrap();
        let status = build.wait().unwrap();
        assert_eq!(status.code(), code);
        wait_until("the engine goes on", || !runs(&sleeper));

        let next = project.build("--build-arg DURATION=0");
        assert_eq!(next.status.code(), Some(0), "{}", stderr(&next));
    }
}

#[test]
fn two_builds_at_once_do_not_disturb_each_other() {
    let Some(project) = varied_project() else { return };
    let builds: Vec<_> = (0..3)
        .map(|number| {
            let arguments = format!("--progress plain --build-arg OWN=build-{number}");
            project.command(&arguments).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for build in builds {
        let output = build.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    }
    assert!(project.file("one", "/words").starts_with("variable build-"));
    assert_eq!(project.file("two", "/data/deep/b.txt"), "b");
}

#[test]
fn a_changed_file_is_shipped_and_a_changed_back_one_too() {
    let Some(project) = varied_project() else { return };
    for text in ["A", "B", "A", "B"] {
        project.write("data/a.txt", text);
        assert_eq!(project.build("one --progress quiet").status.code(), Some(0));
        assert_eq!(project.file("one", "/a"), text);
    }
}

/// A program that is built again only if its source is younger, as cargo's are, with what it has built in a
/// cache mount. The engine restores the first time of a file that it has seen before, so the naive way ships
/// what was built last.
#[test]
fn what_is_built_in_a_cache_mount_is_built_from_the_sources_of_today() {
    let Some(project) = TestProject::new() else { return };
    project.write("src/Makefile", "/out/program: program.sh\n\tcp program.sh /out/program\n");
    for (touch, expected) in [("", ["A", "B", "B"]), ("touch program.sh && ", ["A", "B", "A"])] {
        let mount = format!("--mount=type=cache,target=/out,id={}{}", project.image("out"), touch.len());
        project.write(
            "Dockerfile",
            &format!("{BASE}COPY src /src\nCOPY round /round\nWORKDIR /src\nRUN --network=none {mount} {touch}make && cp /out/program /program\n"),
        );
        project.compose("services:\n  app: {build: .}\n");
        let shipped = ["A", "B", "A"].map(|text| {
            // Something else changes, too, or the last step itself would be found in the cache.
            project.write("round", &format!("{:?}", Instant::now()));
            project.write("src/program.sh", &format!("echo {text}\n"));
            let output = project.build("--progress plain");
            assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
            stdout(&docker(&["run", "--rm", "--network=none", &project.image("app"), "/bin/sh", "/program"]))
        });
        assert_eq!(shipped.map(|text| text.trim().to_owned()), expected, "with {touch:?}");
    }
}

#[test]
fn the_context_is_sent_once_and_then_only_what_changed() {
    let Some(project) = TestProject::new() else { return };
    let megabyte = "0123456789abcdef".repeat(1 << 16);
    (0..3).for_each(|number| project.write(&format!("data/{number}"), &megabyte));
    project.write("Dockerfile", &format!("{BASE}COPY data /data\nARG WHO\nRUN echo $WHO > /who\n"));
    project.write(".dockerignore", "timings\ncompose.yaml\n");
    let services = (0..4).map(|number| format!("  s{number}: {{build: {{context: ., args: {{WHO: {number}}}}}}}\n"));
    project.compose(&format!("services:\n{}", services.collect::<String>()));

    let size = folder_size(project.path());
    let first = project.build_timed("")["context_sent"].as_u64().unwrap();
    assert!(first > size && first < size + size / 5, "{first} bytes for {size}");

    let unchanged = project.build_timed("--verify")["context_sent"].as_u64().unwrap();
    assert!(unchanged <= 10_000, "{unchanged} bytes for nothing new");

    project.write("data/1", &megabyte.replace('0', "x"));
    let one_file = project.build_timed("")["context_sent"].as_u64().unwrap();
    assert!(one_file > 1 << 20 && one_file < (1 << 20) + 50_000, "{one_file} bytes for one file of 1 MiB");
}

#[test]
fn files_with_special_modes_are_sent() {
    let Some(project) = TestProject::new() else { return };
    project.write("data/raised", "content");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o4755);
    std::fs::set_permissions(project.path().join("data/raised"), mode).unwrap();
    project.write("Dockerfile", &format!("{BASE}COPY data /data\nRUN --network=none ls -l /data > /listed\n"));
    project.compose("services:\n  app: {build: .}\n");
    let output = project.build("--progress quiet");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(project.file("app", "/data/raised"), "content");
    assert!(project.file("app", "/listed").contains("-rwsr-xr-x"), "{}", project.file("app", "/listed"));
}

#[test]
fn very_many_files_are_sent() {
    let Some(project) = TestProject::new() else { return };
    (0..10_000).for_each(|number| project.write(&format!("many/{}/{number}", number % 100), "x"));
    project.write("Dockerfile", &format!("{BASE}COPY many /many\n"));
    project.compose("services:\n  many: {build: .}\n");
    assert_eq!(project.build("--progress quiet").status.code(), Some(0));
    assert_eq!(project.file("many", "/many/99/9999"), "x");
}

#[test]
fn what_is_ignored_costs_no_memory() {
    let Some(project) = TestProject::new() else { return };
    std::fs::create_dir(project.path().join("big")).unwrap();
    for number in 0..1000 {
        // Without content, it takes no space either.
        std::fs::File::create(project.path().join(format!("big/{number}"))).unwrap().set_len(1 << 20).unwrap();
    }
    project.write(".dockerignore", "big\n");
    project.write("Dockerfile", &format!("{BASE}COPY . /all\n"));
    project.compose("services:\n  app: {build: .}\n");
    let mut build = project.command("--progress quiet").stdout(Stdio::null()).spawn().unwrap();
    let mut most = 0;
    let status = loop {
        most = most.max(resident_kilobytes(build.id()).unwrap_or_default());
        if let Some(status) = build.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    assert!(status.success());
    assert!((1..100_000).contains(&most), "{most} kB");
}

/// The most that a process has had in memory at once; none once it has ended.
fn resident_kilobytes(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn folder_size(folder: &std::path::Path) -> u64 {
    let sizes = std::fs::read_dir(folder).unwrap().map(|entry| {
        let entry = entry.unwrap();
        let metadata = entry.metadata().unwrap();
        if metadata.is_dir() { folder_size(&entry.path()) } else { metadata.len() }
    });
    sizes.sum()
}

#[test]
fn never_more_solves_than_asked_for() {
    let Some(project) = TestProject::new() else { return };
    project.write("Dockerfile", &format!("{BASE}ARG WHO\nRUN echo $WHO > /who\n"));
    let services = (0..50).map(|number| format!("  s{number}: {{build: {{context: ., args: {{WHO: {number}}}}}}}\n"));
    project.compose(&format!("services:\n{}", services.collect::<String>()));
    let mut build =
        project.command("-j 4 --progress json").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let (mut running, mut most, mut finished) = (0, 0, 0);
    for line in BufReader::new(build.stdout.take().unwrap()).lines() {
        let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
        match event["event"].as_str().unwrap() {
            "image_started" => running += 1,
            "image_finished" => (running, finished) = (running - 1, finished + 1),
            _ => {}
        }
        most = most.max(running);
    }
    assert!(build.wait().unwrap().success());
    assert_eq!((most, finished), (4, 50));
}

#[test]
fn timings_are_true() {
    let Some(project) = TestProject::new() else { return };
    project.write("Dockerfile", &format!(
        "{BASE}RUN sleep 1\nFROM base AS one\nRUN sleep 1.5\nCOPY root/unique /one\nFROM base AS two\nRUN sleep 0.3\nCOPY root/unique /two\n"
    ));
    project
        .compose("services:\n  one: {build: {context: ., target: one}}\n  two: {build: {context: ., target: two}}\n");

    let first = project.build_timed("");
    let wall = first["wall_ms"].as_f64().unwrap();
    let path = first["critical_path"].as_array().unwrap();
    let length = |part: &Value| part["end_ms"].as_f64().unwrap() - part["start_ms"].as_f64().unwrap();
    let total: f64 = path.iter().map(length).sum();
    assert!((total - wall).abs() < 0.05 * wall, "the path has {total} ms, the build {wall} ms");
    let sleeps: f64 = path.iter().filter(|part| part["what"].as_str().unwrap().contains("sleep")).map(length).sum();
    assert!((2500.0..wall).contains(&sleeps), "{sleeps} ms of sleeping in {path:?}");
    assert_eq!(outcomes(&first, "cached"), 0, "{first:#}");
    assert!(outcomes(&first, "shared") >= 2, "{first:#}");

    let second = project.build_timed("--verify");
    assert_eq!(outcomes(&second, "ran") + outcomes(&second, "shared"), 0, "{second:#}");
    assert!(outcomes(&second, "cached") >= 6, "{second:#}");

    let metrics = std::fs::read_to_string(project.path().join("timings/build.prom")).unwrap();
    assert!(metrics.contains("build_image_built{image=\"one\"") && metrics.ends_with("# EOF\n"), "{metrics}");
    let page = std::fs::read_to_string(project.path().join("timings/build.html")).unwrap();
    let data = page.split("id=\"build\">").nth(1).and_then(|rest| rest.split("</script>").next()).unwrap();
    assert_eq!(serde_json::from_str::<Value>(data).unwrap(), second);
    let trace = std::fs::read(project.path().join("timings/trace.json")).unwrap();
    let trace: Value = serde_json::from_slice(&trace).unwrap();
    assert!(trace["traceEvents"].as_array().unwrap().iter().any(|event| event["ph"] == "X"));
}

/// Instructions of all images with this outcome.
fn outcomes(timings: &Value, outcome: &str) -> usize {
    let images = timings["images"].as_array().unwrap();
    let steps = images.iter().flat_map(|image| image["steps"].as_array().unwrap());
    let instruction = |step: &&Value| {
        let name = step["name"].as_str().unwrap();
        name.starts_with('[') && !name.starts_with("[internal]")
    };
    steps.filter(instruction).filter(|step| step["outcome"] == outcome).count()
}

#[test]
fn an_engine_that_is_not_there_is_named() {
    let Some(project) = varied_project() else { return };
    let output = project.command("").env("DOCKER_HOST", "unix:///nonexistent/engine.sock").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let message = stderr(&output);
    assert!(message.contains("no container engine answers at unix:///nonexistent/engine.sock"), "{message}");
    assert!(message.contains("start the engine that DOCKER_HOST names"), "{message}");
}
