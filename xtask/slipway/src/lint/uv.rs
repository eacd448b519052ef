//! The resolver of Python requirements: uv, in an environment of its own in the cache folder,
//! always the same version. It is only asked, and never builds a package.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use tasks::output::say;

use crate::cache_folder::cache_folder;

const VERSION: &str = "0.13.9";

pub(crate) struct Uv {
    folder: PathBuf,
}

/// What is asked: can these be installed together?
#[derive(Debug)]
pub(crate) struct Question {
    /// Lines of a requirements file.
    pub(crate) requirements: Vec<String>,
    pub(crate) constraints: Vec<String>,
    /// As in `3.12`.
    pub(crate) python: Option<String>,
    /// The index to ask instead of the usual one.
    pub(crate) index: Option<String>,
}

#[derive(Debug)]
pub(crate) enum Resolution {
    Possible,
    /// With uv's explanation, in one line.
    Impossible(String),
    /// With the reason why there is no answer.
    Unknown(String),
}

impl Uv {
    /// Finds it in the cache folder, or installs it there.
    pub(crate) fn find_or_install() -> Result<Uv> {
        let folder = cache_folder()?.join(format!("uv-{VERSION}"));
        let uv = Uv { folder };
        fs::create_dir_all(&uv.folder).with_context(|| format!("{} cannot be made", uv.folder.display()))?;
        // Two installations into one place would spoil it.
        let lock = File::create(uv.folder.join("lock")).context("the cache folder cannot be written")?;
        lock.lock().context("the cache folder cannot be locked")?;
        let complete = uv.folder.join("complete");
        if !complete.exists() {
            uv.install()?;
            fs::write(&complete, "")?;
        }
        Ok(uv)
    }

    fn install(&self) -> Result<()> {
        say(format_args!("installing uv {VERSION} into {}", self.folder.display()));
        // Without its own pip, because Debian's Python cannot make one; pip can serve another Python.
        quietly(
            Command::new("python3").args(["-m", "venv", "--clear", "--without-pip"]).arg(self.folder.join("venv")),
        )?;
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "--python"]).arg(self.python());
        quietly(pip.args(["install", "--quiet", "--retries", "1", &format!("uv=={VERSION}")]))
    }

    fn python(&self) -> PathBuf {
        self.folder.join("venv/bin/python")
    }

    pub(crate) fn resolve(&self, question: &Question) -> Result<Resolution> {
        let constraints = tempfile::NamedTempFile::new().context("no temporary file")?;
        fs::write(constraints.path(), question.constraints.join("\n"))?;
        let mut command = self.command(question, constraints.path());
        let mut child = command.spawn().context("uv cannot be run")?;
        let mut stdin = child.stdin.take().context("uv takes no requirements")?;
        stdin.write_all(question.requirements.join("\n").as_bytes())?;
        drop(stdin);
        let output = child.wait_with_output()?;
        if output.status.success() {
            return Ok(Resolution::Possible);
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let explanation = explanation(&said);
        Ok(match explanation.strip_prefix("No solution found when resolving dependencies") {
            Some(reason) => Resolution::Impossible(reason.trim_start_matches([':', ' ']).to_owned()),
            None => Resolution::Unknown(explanation),
        })
    }

    fn command(&self, question: &Question, constraints: &Path) -> Command {
        let mut command = Command::new(self.folder.join("venv/bin/uv"));
        command.args([
            "pip",
            "compile",
            "--quiet",
            "--no-config",
            "--no-header",
            "--no-build",
            "--python-platform",
            "linux",
        ]);
        command.arg("--python").arg(self.python()).arg("--constraints").arg(constraints);
        if let Some(version) = &question.python {
            command.args(["--python-version", version]);
        }
        if let Some(index) = &question.index {
            command.args(["--default-index", index]);
        }
        command.arg("-").current_dir(&self.folder);
        command.env("UV_CACHE_DIR", self.folder.join("cache")).env("UV_HTTP_RETRIES", "1").env("NO_COLOR", "1");
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }
}

/// uv's message in one line, without its decoration.
fn explanation(said: &str) -> String {
    let words = said.split_whitespace().filter(|word| !matches!(*word, "×" | "╰─▶" | "error:" | "cause:" | "│"));
    words.collect::<Vec<_>>().join(" ")
}

fn quietly(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("{program} cannot be run"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    ensure!(output.status.success(), "{program} failed: {last}");
    Ok(())
}
