//! Images that need no solve. Whatever may change what comes of a build must lead to a solve, and whatever
//! may not must lead to none.

use std::{
    fs::{self, File, FileTimes, Permissions},
    io::{Read, Write},
    net::TcpListener,
    os::unix::fs::{PermissionsExt, symlink},
};

use serde_json::Value;
use tasks::free_port;

use crate::{
    engine::{BASE, TestProject, docker},
    tool::{stderr, stdout},
};

/// Everything that can go into an image: folders, a named context, arguments, a secret, a base in the engine,
/// a file that is ignored and one that no step copies.
fn project() -> Option<TestProject> {
    let project = TestProject::new()?;
    make_ground(&project, "first");
    project.write(
        "Dockerfile",
        &format!(
            "{BASE}FROM {} AS ground\nFROM base AS app\nARG WORD\nRUN --network=none --mount=type=secret,id=token echo $WORD > /word\n\
         COPY data /data\nCOPY --from=ground / /ground\nCOPY --from=other c.txt /c\nFROM app AS second\n",
            ground(&project)
        ),
    );
    project.write_inputs();
    symlink("a.txt", project.path().join("data/link")).unwrap();
    project.write("README", "copied by nobody");
    project.write("token2", "open sesame");
    project.write(".dockerignore", "**/*.log\ntimings\n");
    project.compose(COMPOSE);
    Some(project)
}

const COMPOSE: &str = "services:
  app:
    build:
      context: .
      target: app
      args: {WORD: \"${WORD}\"}
      labels: {org.example.label: one}
      secrets: [token]
      additional_contexts: {other: ./other}
secrets:
  token: {file: token}
";

fn ground(project: &TestProject) -> String {
    project.image("ground")
}

/// Gives the name of the base to an image with this content.
fn make_ground(project: &TestProject, content: &str) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("Dockerfile"), "FROM scratch\nCOPY content /content\n").unwrap();
    fs::write(folder.path().join("content"), format!("{content} of {}", ground(project))).unwrap();
    let built = docker(&["buildx", "build", "--quiet", "--tag", &ground(project), &folder.path().to_string_lossy()]);
    assert!(built.status.success(), "{}", stderr(&built));
}

/// How the image came about, and why it was solved.
fn outcome(timings: &Value, image: &str) -> (String, String) {
    let images = timings["images"].as_array().unwrap();
    let image = images.iter().find(|found| found["name"] == image).unwrap();
    let text = |key: &str| image[key].as_str().unwrap_or_default().to_owned();
    (text("outcome"), text("solved_because"))
}

/// The next build of `project` knows all of its images.
fn settle(project: &TestProject) {
    for _ in 0..3 {
        let timings = project.build_timed("");
        if timings["images"].as_array().unwrap().iter().all(|image| image["outcome"] == "unchanged") {
            return;
        }
    }
    panic!("a build without changes is not known as one: {:#}", project.timings());
}

fn check(project: &TestProject, what: &str, change: impl Fn(&TestProject), arguments: &str, expected: &str) {
    settle(project);
    change(project);
    let timings = project.build_timed(arguments);
    let (outcome, because) = outcome(&timings, "app");
    assert_eq!(outcome, expected, "{what}: solved because {because}");
    assert_eq!(because.is_empty(), expected == "unchanged", "{what}: {because}");
}

type Change = (&'static str, fn(&TestProject));

#[test]
fn whatever_goes_into_an_image_leads_to_a_solve() {
    let Some(project) = project() else { return };
    let changes: &[Change] = &[
        ("a file's content", |project| project.write("data/a.txt", "x")),
        ("a file's size", |project| project.write("data/a.txt", "longer")),
        ("a content of the same size and time", |project| {
            let path = project.path().join("data/a.txt");
            let modified = fs::metadata(&path).unwrap().modified().unwrap();
            fs::write(&path, "LONGER").unwrap();
            File::options()
                .write(true)
                .open(&path)
                .unwrap()
                .set_times(FileTimes::new().set_modified(modified))
                .unwrap();
        }),
        ("a mode", |project| {
            fs::set_permissions(project.path().join("data/a.txt"), Permissions::from_mode(0o755)).unwrap();
        }),
        ("a folder's mode", |project| {
            fs::set_permissions(project.path().join("data"), Permissions::from_mode(0o700)).unwrap();
        }),
        ("a new file", |project| project.write("data/new.txt", "new")),
        ("a new folder", |project| fs::create_dir(project.path().join("data/folder")).unwrap()),
        ("another name", |project| {
            fs::rename(project.path().join("data/new.txt"), project.path().join("data/newer.txt")).unwrap();
        }),
        ("a file that is gone", |project| fs::remove_file(project.path().join("data/newer.txt")).unwrap()),
        ("another target of a link", |project| {
            fs::remove_file(project.path().join("data/link")).unwrap();
            symlink("deep/b.txt", project.path().join("data/link")).unwrap();
        }),
        ("a link in place of a file", |project| {
            fs::remove_file(project.path().join("data/deep/b.txt")).unwrap();
            symlink("../a.txt", project.path().join("data/deep/b.txt")).unwrap();
        }),
        ("a named context", |project| project.write("other/c.txt", "changed")),
        ("what is ignored", |project| project.write(".dockerignore", "timings\n")),
        ("a file that is no longer ignored", |project| project.write("data/ignored.log", "changed")),
        ("the Dockerfile", |project| {
            let text = fs::read_to_string(project.path().join("Dockerfile")).unwrap();
            project.write("Dockerfile", &text.replace("/word", "/words"));
        }),
        ("a .dockerignore of the Dockerfile's own", |project| {
            project.write("Dockerfile.dockerignore", "**/*.txt\n!other\n")
        }),
        ("a variable", |project| project.write(".env", "WORD=two\n")),
        ("a label", |project| project.compose(&COMPOSE.replace("label: one", "label: two"))),
        ("a stage", |project| project.compose(&COMPOSE.replace("target: app", "target: second"))),
        ("where a secret comes from", |project| project.compose(&COMPOSE.replace("file: token", "file: token2"))),
        ("another name for the image", |project| {
            project.compose(&COMPOSE.replace("target: app", &format!("tags: ['{}']", project.image("more"))));
        }),
        ("a host", |project| project.compose(&COMPOSE.replace("target: app", "extra_hosts: [one:10.0.0.1]"))),
        ("the network", |project| project.compose(&COMPOSE.replace("target: app", "network: none"))),
        ("the size of /dev/shm", |project| project.compose(&COMPOSE.replace("target: app", "shm_size: 64m"))),
        ("the platform", |project| project.compose(&COMPOSE.replace("target: app", "platforms: [linux/amd64]"))),
        ("the base's name for another image", |project| make_ground(project, "second")),
        ("an image that the engine lost", |project| {
            assert!(docker(&["image", "rm", "--force", &project.image("app")]).status.success());
        }),
        ("the image's name for another image", |project| {
            assert!(docker(&["image", "tag", &ground(project), &project.image("app")]).status.success());
        }),
        ("a last solve of long ago", |project| edit_memory(project, |solved| solved - 13 * 3600)),
        ("a last solve in the future", |project| edit_memory(project, |solved| solved + 13 * 3600)),
        ("a memory that was not written to its end", |project| {
            let path = memory(project);
            let text = fs::read(&path).unwrap();
            fs::write(&path, &text[..text.len() / 2]).unwrap();
        }),
        ("no memory", |project| fs::remove_file(memory(project)).unwrap()),
    ];
    for (what, change) in changes {
        check(&project, what, change, "", "built");
    }
    for arguments in ["--no-cache", "--verify", "--build-arg WORD=three", "--set app.labels.more=1"] {
        check(&project, arguments, |_| {}, arguments, "built");
    }
}

#[test]
fn what_does_not_go_into_an_image_leads_to_no_solve() {
    let Some(project) = project() else { return };
    let changes: &[Change] = &[
        ("nothing", |_| {}),
        ("a touched file", |project| touch(project, "data/a.txt")),
        ("a touched Dockerfile", |project| touch(project, "Dockerfile")),
        ("a file written again as it was", |project| project.write("data/a.txt", "a")),
        ("an ignored file", |project| project.write("data/ignored.log", "changed")),
        ("a file that no step copies", |project| project.write("README", "changed")),
        ("a comment in the compose file", |project| project.compose(&format!("# nothing\n{COMPOSE}"))),
        ("a secret's value, which the engine does not look at either", |project| project.write("token", "other")),
        ("another image", |project| drop(docker(&["image", "tag", &ground(project), &project.image("third")]))),
    ];
    for (what, change) in changes {
        check(&project, what, change, "", "unchanged");
    }
}

#[test]
fn an_image_is_solved_with_the_one_that_it_is_built_on() {
    let Some(project) = TestProject::new() else { return };
    project.write("Dockerfile", BASE);
    project.write("data", "1");
    project.write("alone/data", "2");
    project.write("upon.Dockerfile", "FROM ground\nCOPY data /data\n");
    project.write(".dockerignore", "timings\n");
    project.compose(
        "services:
  ground: {build: .}
  app: {build: {context: ., dockerfile: upon.Dockerfile, additional_contexts: {ground: 'service:ground'}}}
  alone: {build: {context: alone, dockerfile_inline: \"FROM scratch\\nCOPY data /\"}}
",
    );
    settle(&project);
    let solved = |timings: &Value| ["ground", "app", "alone"].map(|image| outcome(timings, image).0 == "built");
    project.write("root/more", "more");
    assert_eq!(solved(&project.build_timed("")), [true, true, false], "{:#}", project.timings());
    settle(&project);
    project.write("upon.Dockerfile", "FROM ground\nCOPY data /more\n");
    assert_eq!(solved(&project.build_timed("")), [false, true, false], "{:#}", project.timings());
}

/// The engine asks the server every time, so the file is never taken for known.
#[test]
fn what_comes_from_the_web_is_fetched_every_time() {
    let Some(project) = TestProject::new() else { return };
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    std::thread::spawn(move || {
        for (stream, number) in server.incoming().zip(0..) {
            let mut stream = stream.unwrap();
            // The whole request fits; what it asks for does not matter.
            assert_ne!(stream.read(&mut [0; 4096]).unwrap(), 0);
            let body = format!("answer {number}");
            let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length";
            write!(stream, "{head}: {}\r\n\r\n{body}", body.len()).unwrap();
        }
    });
    project.write("Dockerfile", &format!("{BASE}ADD http://{address}/file /file\n"));
    project.compose("services:\n  app: {build: .}\n");
    let first = (project.build_timed(""), project.file("app", "/file"));
    let second = (project.build_timed(""), project.file("app", "/file"));
    assert_ne!(first.1, second.1);
    let because = outcome(&second.0, "app").1;
    assert!(because.contains(&format!("`ADD http://{address}/file /file` may bring something new")), "{because}");
}

/// A real git server; the engine asks it every time which commit its branch is at.
#[test]
fn a_repository_is_asked_every_time() {
    let Some(project) = TestProject::new() else { return };
    let repositories = tempfile::tempdir().unwrap();
    let git = |arguments: &str| {
        let mut command = std::process::Command::new("git");
        command.args([
            "-C",
            &repositories.path().to_string_lossy(),
            "-c",
            "user.name=x",
            "-c",
            "user.email=x@example.org",
        ]);
        let output = command.args(arguments.split(' ')).output().unwrap();
        assert!(output.status.success(), "{arguments}: {}", stderr(&output));
    };
    let commit = |text: &str| {
        fs::write(repositories.path().join("file"), text).unwrap();
        git("add .");
        git("commit --quiet -m change");
    };
    git("init --quiet --initial-branch main .");
    fs::write(repositories.path().join("Dockerfile"), "FROM scratch\nCOPY file /file\n").unwrap();
    commit("first");
    let port = free_port().unwrap();
    // Without `git` before it, there is no second process that outlives the first.
    let programs = std::process::Command::new("git").arg("--exec-path").output().unwrap();
    let mut server = std::process::Command::new(format!("{}/git-daemon", stdout(&programs).trim()))
        .args(["--export-all", "--listen=127.0.0.1", &format!("--port={port}"), "--reuseaddr"])
        .arg(format!("--base-path={}", repositories.path().display()))
        .spawn()
        .unwrap();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(server.try_wait().unwrap().is_none(), "the git server does not start");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    project.compose(&format!("services:\n  app: {{build: 'git://127.0.0.1:{port}/.git#main'}}\n"));
    let first = project.build_timed("");
    commit("second");
    let second = project.build_timed("");
    server.kill().unwrap();
    server.wait().unwrap();
    assert_ne!(first["images"][0]["digest"], second["images"][0]["digest"]);
    assert_eq!(outcome(&second, "app").1, "its context is fetched");
}

#[test]
fn a_file_that_changes_during_the_solve_is_not_taken_for_the_one_that_was_sent() {
    let Some(project) = TestProject::new() else { return };
    project.write("Dockerfile", &format!("{BASE}COPY data /data\nRUN --network=none sleep 2\n"));
    project.write("data", "sent");
    project.write(".dockerignore", "timings\n");
    project.compose("services:\n  app: {build: .}\n");
    let mut build = project.command("--progress plain").stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut progress = std::io::BufReader::new(build.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("none sleep") {
        line.clear();
        assert_ne!(std::io::BufRead::read_line(&mut progress, &mut line).unwrap(), 0, "the step does not begin");
    }
    project.write("data", "late");
    std::io::copy(&mut progress, &mut std::io::sink()).unwrap();
    assert!(build.wait().unwrap().success());
    let (found, because) = outcome(&project.build_timed(""), "app");
    assert_eq!(found, "built");
    // The other files were written an instant before, which the clock may not tell apart.
    assert!(because.contains(" changed during the last build"), "{because}");
    assert_eq!(project.file("app", "/data"), "late");
}

#[test]
fn the_table_and_the_quiet_output_tell_of_unchanged_images() {
    let Some(project) = TestProject::new() else { return };
    project.write("Dockerfile", BASE);
    project.compose("services:\n  app: {build: {context: ., target: base}}\n");
    let first = project.build("--progress quiet");
    settle(&project);
    let output = project.build("--progress quiet");
    assert_eq!(stdout(&first), stdout(&output));
    let progress = stderr(&project.build(""));
    assert!(
        progress.contains(" unchanged │") && progress.contains("0 of 1 images built, 1 unchanged in "),
        "{progress}"
    );
}

fn touch(project: &TestProject, path: &str) {
    let file = File::options().write(true).open(project.path().join(path)).unwrap();
    file.set_times(FileTimes::new().set_modified(std::time::SystemTime::now())).unwrap();
}

/// The file that holds what is known of the project's images.
fn memory(project: &TestProject) -> std::path::PathBuf {
    let entries = fs::read_dir(project.cache().join("unchanged")).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    assert_eq!(paths.len(), 1, "{paths:?}");
    paths.remove(0)
}

fn edit_memory(project: &TestProject, change: fn(i64) -> i64) {
    let path = memory(project);
    let mut memory: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let solved = &mut memory["images"]["app"]["known"]["solved"]["secs_since_epoch"];
    *solved = change(solved.as_i64().unwrap()).into();
    fs::write(&path, memory.to_string()).unwrap();
}
