//! Ten minutes of prompts whose language changes every 20 to 60 s, beside their stretches alone, each in its language;
//! and what it costs to look for other languages where there is one.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    bench_stack::python::{self, Environment},
    workspace,
};

const SECONDS: &str = "600";
const SEED: &str = "17";

pub(crate) struct Mixed {
    folder: PathBuf,
    environment: Environment,
    /// The code of each stretch's language, in order.
    languages: Vec<String>,
}

/// How well it was understood.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Score {
    /// The share of speech whose segments name its language, where they name any.
    pub(crate) language_right: Option<f64>,
    /// Word error rate of the whole.
    pub(crate) wer: f64,
    /// That of its stretches alone.
    pub(crate) wer_alone: f64,
}

impl Mixed {
    /// Writes the recording and its stretches into a folder, out of a corpus of several languages.
    pub(crate) fn make(folder: &Path, corpus: &Path) -> anyhow::Result<Self> {
        let environment = Environment::with("soundfile-0.13.1", &["soundfile==0.13.1"])?;
        let folder = folder.join("mixed");
        fs::create_dir(&folder)?;
        let mut make = script(&environment, &["make"]);
        python::run(make.arg(workspace::root().join(corpus)).arg(&folder).args([SECONDS, SEED]))?;
        let stretches = fs::read(folder.join("stretches.json"))?;
        let stretches: Vec<Value> = serde_json::from_slice(&stretches).context("the stretches are not understood")?;
        let languages = stretches.iter().map(|one| one["language"].as_str().unwrap_or_default().to_owned()).collect();
        Ok(Self { folder, environment, languages })
    }

    /// Has all of it transcribed, each recording in the language that is named for it.
    pub(crate) fn measure(
        &self,
        mut transcribe: impl FnMut(&Path, &str) -> anyhow::Result<Value>,
    ) -> anyhow::Result<Score> {
        let mixed = transcribe(&self.folder.join("mixed.wav"), "auto")?;
        let pieces = self.languages.iter().enumerate();
        let pieces = pieces.map(|(at, language)| transcribe(&self.folder.join(format!("{at:02}.wav")), language));
        let pieces: Vec<Value> = pieces.collect::<anyhow::Result<_>>()?;
        self.score(&serde_json::to_vec(&json!({ "mixed": mixed, "pieces": pieces }))?)
    }

    /// The same of the peer, whose segments name no language.
    pub(crate) fn measure_peer(&self, peer: &Environment, model: &Path) -> anyhow::Result<Score> {
        let threads = std::thread::available_parallelism()?.to_string();
        let mut command = script(peer, &["peer"]);
        command.env("HF_HUB_OFFLINE", "1").arg(model).arg(&self.folder).arg(threads);
        let output =
            command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().context("the peer cannot be run")?;
        anyhow::ensure!(output.status.success(), "the peer failed: {}", output.status);
        self.score(&output.stdout)
    }

    fn score(&self, results: &[u8]) -> anyhow::Result<Score> {
        let mut command = script(&self.environment, &["score"]);
        let mut scoring = command.arg(&self.folder).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        scoring.stdin.take().context("the script takes nothing")?.write_all(results)?;
        let output = scoring.wait_with_output()?;
        anyhow::ensure!(output.status.success(), "the score failed: {}", output.status);
        serde_json::from_slice(&output.stdout).context("the score is not understood")
    }
}

fn script(environment: &Environment, arguments: &[&str]) -> Command {
    let mut command = Command::new(environment.python());
    command.arg(workspace::root().join("benches/speech/mixed.py")).args(arguments);
    command
}
