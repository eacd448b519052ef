//! A compose project, and the one place that runs `docker compose`.

use std::{
    path::PathBuf,
    process::{Command, ExitCode, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::{container::Container, definition::Definition};

/// A project with its files read.
pub(super) struct ComposeProject {
    files: Vec<PathBuf>,
    pub(super) definition: Definition,
}

/// An entry of `docker compose ls`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    name: String,
    config_files: String,
}

impl ComposeProject {
    /// # Errors
    /// Docker Compose is missing, or finds something wrong with the files and has said what.
    pub(super) fn of(files: Vec<PathBuf>) -> Result<Self> {
        refuse_without_compose()?;
        let text = output(compose(&files).args(["config", "--format", "json"]))?;
        let definition = serde_json::from_str(&text).context("`docker compose config` gave something unreadable")?;
        Ok(Self { files, definition })
    }

    /// The same project with the files that its containers were made with, which may be others: a variant's.
    pub(super) fn with_files_in_use(self) -> Result<Self> {
        let listed = output(Command::new("docker").args(["compose", "ls", "--all", "--format", "json"]))?;
        let listed: Vec<Listed> = serde_json::from_str(&listed).context("`docker compose ls` gave no list")?;
        let in_use = listed.into_iter().find(|project| project.name == self.definition.name);
        let files: Vec<PathBuf> =
            in_use.iter().flat_map(|project| project.config_files.split(',')).map(PathBuf::from).collect();
        // Files that have gone since cannot be read again; the usual ones are the next best.
        let is_usable = !files.is_empty() && files.iter().all(|file| file.is_file());
        if is_usable && files != self.files { Self::of(files) } else { Ok(self) }
    }

    pub(super) fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Its containers, those that have ended included, by name.
    pub(super) fn containers(&self) -> Result<Vec<Container>> {
        let listed = output(compose(&self.files).args(["ps", "--all", "--no-trunc", "--format", "json"]))?;
        let lines = listed.lines().filter(|line| !line.trim().is_empty()).map(serde_json::from_str);
        let mut containers: Vec<Container> =
            lines.collect::<Result<_, _>>().context("`docker compose ps` gave something unreadable")?;
        // What `docker compose run` started is nobody's service.
        containers.retain(|container| self.definition.started_services().any(|name| name == container.service));
        containers.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(containers)
    }

    /// Starts the services, all where none is named, and waits until they are healthy. False where Docker Compose
    /// said, on stderr, that something was wrong.
    pub(super) fn start(&self, services: &[String], patience: Duration) -> Result<bool> {
        let seconds = patience.as_secs().to_string();
        let mut command = compose(&self.files);
        command.args(["up", "--detach", "--no-build", "--remove-orphans", "--wait", "--wait-timeout", &seconds]);
        Ok(run(command.args(services))? == Some(0))
    }

    /// Runs a subcommand of Docker Compose with this program's input and output; its exit code.
    pub(super) fn hand_over<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> Result<ExitCode> {
        let code = run(compose(&self.files).args(words))?;
        Ok(ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
    }

    /// Compiles the programs of these services, all where none is named, if this project compiles outside images.
    ///
    /// # Errors
    /// They do not compile; the compiler has said why.
    pub(super) fn compile(&self, services: &[String]) -> Result<()> {
        let Some(compiler) = &self.definition.compiler else { return Ok(()) };
        let mut command = compose(&self.files);
        command.args(["run", "--rm", "--no-deps", compiler.as_str()]).args(services);
        if run(&mut command)? != Some(0) {
            bail!("`{compiler}` could not compile it, as said above; what runs was left alone");
        }
        Ok(())
    }

    /// The last lines that a container wrote.
    pub(super) fn last_lines(container: &Container, lines: u32) -> Result<String> {
        let count = lines.to_string();
        let logs = Command::new("docker")
            .args(["logs", "--tail", &count, &container.id])
            .stdin(Stdio::null())
            .output()
            .context("docker cannot be run")?;
        Ok([logs.stdout, logs.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat())
    }
}

fn compose(files: &[PathBuf]) -> Command {
    let mut command = Command::new("docker");
    command.arg("compose");
    for file in files {
        command.arg("--file").arg(file);
    }
    command
}

fn refuse_without_compose() -> Result<()> {
    let version = Command::new("docker").args(["compose", "version", "--short"]).stdin(Stdio::null()).output();
    if version.is_ok_and(|answer| answer.status.success()) {
        return Ok(());
    }
    bail!("Docker Compose is not installed: {}", tasks::packages::instruction(&["docker-compose"]))
}

/// What a command prints; what it says on stderr is seen where it fails.
fn output(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().context("docker cannot be run")?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A command's exit code; none where a signal ended it.
fn run(command: &mut Command) -> Result<Option<i32>> {
    Ok(command.status().context("docker cannot be run")?.code())
}
