//! Builders elsewhere: second engines over TCP, with and without TLS, and what speaks BuildKit's protocol as a
//! daemon of its own does.

use std::{
    collections::BTreeSet,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::net::UnixStream,
    path::PathBuf,
    process::Stdio,
};

use serde_json::Value;

use crate::{
    engine::{BASE, TestProject, docker},
    registry::Registry,
    second_engine::SecondEngine,
    tool::{stderr, stdout},
};

/// Four images, one of which is built on another, and one with a secret.
fn project() -> Option<TestProject> {
    let project = TestProject::new()?;
    project.write(
        "Dockerfile",
        &format!(
            "{BASE}FROM base AS one\nRUN --network=none sleep 1; echo one > /name\n\
         FROM base AS two\nRUN --network=none --mount=type=secret,id=token cat /run/secrets/token > /name\n\
         FROM base AS three\nRUN --network=none echo three > /name\n"
        ),
    );
    project.write("token", "two");
    project.write(".dockerignore", "timings\n");
    project.compose(
        "services:
  one: {build: {context: ., target: one}}
  two: {build: {context: ., target: two, secrets: [token]}}
  three: {build: {context: ., target: three}}
  upon:
    build:
      context: .
      dockerfile_inline: \"FROM one\\nCOPY token /token\"
      additional_contexts: {one: 'service:one'}
secrets:
  token: {file: token}
",
    );
    Some(project)
}

fn check_images(project: &TestProject) {
    for (image, path, expected) in
        [("one", "/name", "one"), ("two", "/name", "two"), ("three", "/name", "three"), ("upon", "/token", "two")]
    {
        assert_eq!(project.file(image, path).trim(), expected, "{path} of {image}");
    }
}

fn builder<'a>(timings: &'a Value, image: &str) -> &'a str {
    let images = timings["images"].as_array().unwrap();
    images.iter().find(|found| found["name"] == image).unwrap()["builder"].as_str().unwrap_or_default()
}

#[test]
fn images_are_spread_over_builders_and_loaded_into_the_engine() {
    let Some(project) = project() else { return };
    let (Some(second), Some(registry)) = (SecondEngine::start(false), Registry::start()) else { return };
    let address = format!("tcp://{}", second.host);
    let cache = format!("--shared-cache {}/cache", registry.address);
    let timings = project.build_timed(&format!("--builder {address} --builder unix:///var/run/docker.sock {cache}"));
    check_images(&project);
    let used: BTreeSet<&str> = ["one", "two", "three"].map(|image| builder(&timings, image)).into();
    assert_eq!(used.len(), 2, "{used:?}");
    assert_eq!(builder(&timings, "one"), builder(&timings, "upon"));

    // What is left of the steps lies in the registry.
    assert!(second.docker(&["builder", "prune", "--all", "--force"]).status.success());
    let timings = project.build_timed(&format!("--builder {address} {cache}"));
    check_images(&project);
    for image in timings["images"].as_array().unwrap() {
        let ran = |step: &&Value| step["outcome"] == "ran" && step["name"].as_str().unwrap().contains("RUN ");
        let ran: Vec<&Value> = image["steps"].as_array().unwrap().iter().filter(ran).collect();
        assert!(ran.is_empty(), "{}: {ran:#?}", image["name"]);
    }
}

#[test]
fn a_builder_may_be_encrypted() {
    let Some(project) = project() else { return };
    let Some(second) = SecondEngine::start(true) else { return };
    let address = format!("--builder tcp://{}", second.host);
    let certificates = second.certificates().display();
    let timings = project.build_timed(&format!("{address} --builder-certs {certificates}"));
    check_images(&project);
    assert_eq!(builder(&timings, "one"), format!("tcp://{}", second.host));

    let refused = project.build(&address);
    assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
    let complaint = format!("error: no builder answers at tcp://{}", second.host);
    assert!(stderr(&refused).contains(&complaint), "{}", stderr(&refused));

    // The engine itself, as docker's own clients find it.
    let mut command = project.command("three --progress quiet");
    command.env("DOCKER_HOST", format!("tcp://{}", second.host));
    command.env("DOCKER_TLS_VERIFY", "1").env("DOCKER_CERT_PATH", second.certificates());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(second.docker(&["image", "inspect", &project.image("three")]).status.success());
}

/// A daemon of its own speaks its protocol from the first byte on. This one is an engine's, behind a door that
/// has upgraded the connection already.
#[test]
fn a_builder_may_be_a_daemon_of_its_own() {
    let Some(project) = project() else { return };
    let Some(second) = SecondEngine::start(false) else { return };
    let door = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("tcp://{}", door.local_addr().unwrap());
    let socket = second.socket_path();
    std::thread::spawn(move || {
        for stream in door.incoming() {
            let (stream, socket) = (stream.unwrap(), socket.clone());
            std::thread::spawn(move || pass_on(stream, socket));
        }
    });
    let timings = project.build_timed(&format!("one two three --builder {address}"));
    assert_eq!(project.file("two", "/name").trim(), "two");
    assert_eq!(builder(&timings, "two"), address);

    let refused = project.build(&format!("--builder {address}"));
    assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
    let complaint = format!("`upon` is built on `one`, which the builder at {address} cannot keep for it");
    assert!(stderr(&refused).contains(&complaint), "{}", stderr(&refused));
}

fn pass_on(client: TcpStream, socket: PathBuf) {
    let mut daemon = UnixStream::connect(socket).unwrap();
    daemon.write_all(b"POST /grpc HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n").unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        daemon.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let (mut from_client, mut to_client) = (client.try_clone().unwrap(), client);
    let (mut from_daemon, mut to_daemon) = (daemon.try_clone().unwrap(), daemon);
    let up = std::thread::spawn(move || {
        std::io::copy(&mut from_client, &mut to_daemon).ok();
        to_daemon.shutdown(std::net::Shutdown::Both).ok();
    });
    std::io::copy(&mut from_daemon, &mut to_client).ok();
    to_client.shutdown(std::net::Shutdown::Both).ok();
    up.join().unwrap();
}

#[test]
fn another_engine_knows_nothing_of_what_the_first_one_built() {
    let Some(project) = project() else { return };
    let Some(second) = SecondEngine::start(false) else { return };
    project.build_timed("three");
    project.build_timed("three");
    let output = project.command("three --timings timings").env("DOCKER_HOST", second.socket()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let because = &project.timings()["images"][0]["solved_because"];
    assert_eq!(because, "what is asked of the engine, or the engine, is another one");
}

#[test]
fn an_engine_that_is_killed_is_told_of_and_its_next_build_works() {
    let Some(project) = TestProject::new() else { return };
    let Some(mut second) = SecondEngine::start(false) else { return };
    project.write("Dockerfile", &format!("{BASE}ARG SECONDS\nRUN --network=none sleep $SECONDS\n"));
    project.compose("services:\n  app: {build: .}\n");
    let mut command = project.command("--build-arg SECONDS=60 --progress plain");
    let mut build = command.env("DOCKER_HOST", second.socket()).stderr(Stdio::piped()).spawn().unwrap();
    let mut progress = std::io::BufReader::new(build.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("RUN --network=none sleep") {
        line.clear();
        assert_ne!(std::io::BufRead::read_line(&mut progress, &mut line).unwrap(), 0, "the step does not begin");
    }
    second.kill();
    let mut rest = String::new();
    progress.read_to_string(&mut rest).unwrap();
    assert_eq!(build.wait().unwrap().code(), Some(1), "{rest}");
    assert!(rest.contains("error: the engine went away during the build"), "{rest}");
    assert!(rest.contains("hint: start it again with `cargo xtask engine`"), "{rest}");

    second.start_again();
    let mut command = project.command("--build-arg SECONDS=0 --progress plain");
    let next = command.env("DOCKER_HOST", second.socket()).output().unwrap();
    assert_eq!(next.status.code(), Some(0), "{}", stderr(&next));
}

#[test]
fn a_builder_that_does_not_answer_is_named() {
    let Some(project) = project() else { return };
    let output = project.build("--builder unix:///nonexistent/buildkitd.sock");
    assert_eq!(output.status.code(), Some(2));
    let complaint = "error: no builder answers at unix:///nonexistent/buildkitd.sock: No such file";
    assert!(stderr(&output).contains(complaint), "{}", stderr(&output));
    assert!(stdout(&output).is_empty());
    assert!(docker(&["image", "inspect", &project.image("one")]).status.code() != Some(0));
}
