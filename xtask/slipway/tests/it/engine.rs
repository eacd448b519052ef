//! A project in a folder of its own for builds with a real engine, and what the engine made of
//! it. Every project's layers are new to the engine, so no test sees the cache of another.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

use crate::tool::{stderr, stdout, tool};

/// The programs in the base of the test images, taken from this machine.
const PROGRAMS: [&str; 7] = ["sh", "cat", "sleep", "ls", "touch", "cp", "make"];

/// Begins every Dockerfile of the tests: a shell to run steps with.
pub(crate) const BASE: &str = "FROM scratch AS base\nCOPY root /\n";

pub(crate) struct TestProject {
    folder: tempfile::TempDir,
    /// What the tool keeps between builds.
    cache: tempfile::TempDir,
    name: String,
}

impl TestProject {
    /// None where no engine answers; then the test says so, and fails where that is not allowed.
    pub(crate) fn new() -> Option<TestProject> {
        if !engine_answers() {
            assert!(std::env::var_os("CI").is_none(), "no engine answers");
            println!("skipped: no engine");
            return None;
        }
        let folder = tempfile::Builder::new().prefix("xtask-").rand_bytes(12).tempdir().unwrap();
        let name = folder.path().file_name().unwrap().to_string_lossy().to_lowercase();
        let project = TestProject { folder, cache: tempfile::tempdir().unwrap(), name };
        install_programs(&project.path().join("root"));
        project.write("root/unique", &project.name);
        Some(project)
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn cache(&self) -> &Path {
        self.cache.path()
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let full = self.path().join(path);
        fs::create_dir_all(full.parent().unwrap()).unwrap();
        fs::write(full, text).unwrap();
    }

    /// Something of each kind that can go into an image: a folder with a file to be ignored, another folder, a secret
    /// and a variable.
    pub(crate) fn write_inputs(&self) {
        let inputs = [
            ("data/a.txt", "a"),
            ("data/deep/b.txt", "b"),
            ("data/ignored.log", "ignored"),
            ("other/c.txt", "c"),
            ("token", "open sesame"),
            (".env", "WORD=variable\n"),
        ];
        inputs.iter().for_each(|(path, text)| self.write(path, text));
    }

    /// Writes the compose file, under the project's own name.
    pub(crate) fn compose(&self, services: &str) {
        self.write("compose.yaml", &format!("name: {}\n{services}", self.name));
    }

    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = tool(self.path());
        command.env("SLIPWAY_CACHE", self.cache.path());
        command.arg("build").args(arguments.split_whitespace());
        command
    }

    pub(crate) fn build(&self, arguments: &str) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// A build that must succeed; its `build.json`.
    pub(crate) fn build_timed(&self, arguments: &str) -> Value {
        let output = self.build(&format!("{arguments} --timings timings"));
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        self.timings()
    }

    pub(crate) fn timings(&self) -> Value {
        serde_json::from_slice(&fs::read(self.path().join("timings/build.json")).unwrap()).unwrap()
    }

    pub(crate) fn image(&self, service: &str) -> String {
        format!("{}-{service}", self.name)
    }

    /// What a file in an image holds.
    pub(crate) fn file(&self, service: &str, path: &str) -> String {
        stdout(&docker(&["run", "--rm", "--network=none", &self.image(service), "/bin/cat", path]))
    }
}

impl Drop for TestProject {
    fn drop(&mut self) {
        let listed = docker(&["image", "ls", "--quiet", "--filter", &format!("reference={}-*", self.name)]);
        for id in stdout(&listed).lines().collect::<BTreeSet<_>>() {
            docker(&["image", "rm", "--force", id]);
        }
    }
}

pub(crate) fn docker(arguments: &[&str]) -> Output {
    Command::new("docker").args(arguments).output().unwrap()
}

fn engine_answers() -> bool {
    Command::new("docker").arg("version").output().is_ok_and(|output| output.status.success())
}

pub(crate) fn install_programs(root: &Path) {
    fs::create_dir_all(root.join("tmp")).unwrap();
    for name in PROGRAMS {
        let found = Command::new("sh").args(["-c", &format!("command -v {name}")]).output().unwrap();
        let program = PathBuf::from(stdout(&found).trim());
        copy_into(root, &program, &Path::new("/bin").join(name));
        let libraries = Command::new("ldd").arg(&program).output().unwrap();
        for library in stdout(&libraries).split_whitespace().filter(|word| word.starts_with('/')) {
            copy_into(root, Path::new(library), Path::new(library));
        }
    }
}

fn copy_into(root: &Path, source: &Path, target: &Path) {
    let target = root.join(target.strip_prefix("/").unwrap());
    fs::create_dir_all(target.parent().unwrap()).unwrap();
    fs::copy(source, target).unwrap();
}
