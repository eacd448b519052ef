//! A real registry on this machine: images are pushed to it, and caches go through it.

use std::{
    fs,
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tasks::free_port;

use crate::{
    engine::{BASE, TestProject, docker},
    tool::stderr,
};

const PATIENCE: Duration = Duration::from_secs(20);

/// Debian's docker-registry, until it is dropped.
pub(crate) struct Registry {
    pub(crate) address: String,
    process: Child,
    _data: tempfile::TempDir,
}

impl Registry {
    /// None where it is not installed; then the test says so, and fails where that is not allowed.
    pub(crate) fn start() -> Option<Registry> {
        let data = tempfile::tempdir().unwrap();
        let address = format!("127.0.0.1:{}", free_port().unwrap());
        let settings = data.path().join("registry.yml");
        let root = data.path().join("data");
        let text = format!(
            "version: 0.1\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: \"{address}\"}}\n",
            root.display()
        );
        fs::write(&settings, text).unwrap();
        let started = Command::new("docker-registry")
            .arg("serve")
            .arg(&settings)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(process) = started else {
            assert!(std::env::var_os("CI").is_none(), "docker-registry is not installed");
            println!("skipped: no docker-registry");
            return None;
        };
        let registry = Registry { address, process, _data: data };
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(&registry.address).is_err() {
            assert!(Instant::now() < deadline, "the registry does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(registry)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

#[test]
fn a_cache_goes_to_a_registry_and_comes_back() {
    let (Some(project), Some(registry)) = (TestProject::new(), Registry::start()) else { return };
    project.write("Dockerfile", &format!("{BASE}RUN cat /proc/uptime > /when\n"));
    // Read from where it is written to, in the same words: the mode means nothing to a reader.
    let cache = format!("type=registry,ref={}/cache,mode=max", registry.address);
    project.compose(&format!(
        "services:\n  app: {{build: {{context: ., cache_to: &cache ['{cache}'], cache_from: *cache}}}}\n"
    ));
    // The engine's own cache cannot be emptied under other tests, so the import is what is told.
    let imported = format!("importing cache manifest from {}/cache", registry.address);
    for ending in ["failed", "done"] {
        let output = project.build("--progress plain");
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let progress = stderr(&output);
        assert!(progress.contains(&format!("{imported}: {ending}")), "{progress}");
    }
}

#[test]
fn an_image_is_pushed_instead_of_loaded() {
    let (Some(project), Some(registry)) = (TestProject::new(), Registry::start()) else { return };
    project.write("Dockerfile", BASE);
    let name = format!("{}/{}:v1", registry.address, project.image("app"));
    project.compose(&format!("services:\n  app: {{image: '{name}', build: .}}\n"));
    let output = project.build("--push --progress quiet");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let pushed_again = project.build_timed("--push");
    assert_eq!(pushed_again["images"][0]["solved_because"], "it is pushed");
    let pulled = docker(&["pull", &name]);
    assert!(pulled.status.success(), "{}", stderr(&pulled));
    assert!(docker(&["image", "rm", "--force", &name]).status.success());
}

#[test]
fn two_images_may_not_export_to_one_cache() {
    let Some(project) = TestProject::new() else { return };
    project.write("Dockerfile", BASE);
    project.compose("services:\n  one: {build: .}\n  two: {build: .}\n");
    let output = project.build("--cache-to type=registry,ref=localhost:1/cache");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("would overwrite each other's"), "{}", stderr(&output));
}
