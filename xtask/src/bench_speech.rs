//! `cargo xtask bench-speech`: accuracy, speed and memory of the whole pipeline, on speech with exact
//! transcripts, through Temporal and the store; interleaved with a peer where that is asked for.

mod corpus;
mod memory;
mod noise;
mod peer;
mod report;
mod wer;

use std::{
    fs::{self, File},
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::Context;
use serde::Deserialize;

use crate::{
    flags::BenchSpeechFlags,
    interrupt::Interrupt,
    output::say,
    setup::{self, Tools},
    stack::{Event, Stack, embedded, ports::Ports, tether},
};
use corpus::{Corpus, Recording};
use peer::Peer;
use report::{Measurement, Report};

/// Takes every measurement, in turns, and rewrites the report after each.
pub(crate) fn run(flags: &BenchSpeechFlags) -> anyhow::Result<()> {
    let corpus = Corpus::open(&flags.corpus)?;
    let tools = setup::run()?;
    let peer = if flags.peers { Some(Peer::install()?) } else { None };
    let folder = tempfile::tempdir().context("no temporary folder")?;
    let mut bench = Bench::start(&tools, folder.path())?;
    let mut report = Report::new(flags.runs);
    for run in 0..flags.runs {
        for recording in &corpus.recordings {
            say(format_args!("run {} of {}: {}", run + 1, flags.runs, recording.name));
            report.add(bench.measure(recording)?);
            if let Some(peer) = &peer {
                report.add(peer.measure(recording, &bench.interrupt)?);
            }
            report.write(flags.out.as_deref())?;
        }
    }
    for (name, path) in noise::write_all(folder.path())? {
        let heard = bench.transcribe(&path)?.0;
        report.add_noise(name, wer::words(&heard.text).len());
    }
    report.set_memory(memory::peaks()?);
    bench.stack.stop();
    report.write(flags.out.as_deref())?;
    report.print(flags.json)
}

/// The stack under measurement.
struct Bench<'a> {
    stack: Stack<'a>,
    interrupt: Interrupt,
    longhand: &'a Path,
    store: std::path::PathBuf,
    ports: Ports,
}

/// What is read of a job's result.
#[derive(Deserialize)]
struct Heard {
    text: String,
    duration_s: f64,
    timings: Timings,
    provenance: Provenance,
}

#[derive(Deserialize)]
struct Timings {
    recogniser_s: f64,
}

#[derive(Deserialize)]
struct Provenance {
    chunks_total: u32,
    fallbacks: u32,
}

impl<'a> Bench<'a> {
    fn start(tools: &'a Tools, folder: &Path) -> anyhow::Result<Self> {
        let ports = Ports::any()?;
        let store = folder.join("store");
        let programs = embedded::programs(tools, ports, &folder.join("temporal.db"), Some(&store))?;
        let stack = Stack::new(programs, |event| {
            if let Event::Crashed { process, status, .. } = event {
                say(format_args!("{process} crashed: {status}"));
            }
        });
        let longhand = tools.binaries.path("longhand")?;
        let mut bench = Self { stack, interrupt: Interrupt::catch()?, longhand, store, ports };
        while !bench.stack.is_ready() {
            bench.look_after()?;
        }
        Ok(bench)
    }

    fn look_after(&mut self) -> anyhow::Result<()> {
        self.interrupt.check()?;
        if let Some(process) = self.stack.hopeless() {
            anyhow::bail!("{process} does not start");
        }
        self.stack.tick()
    }

    fn measure(&mut self, recording: &Recording) -> anyhow::Result<Measurement> {
        let (heard, seconds) = self.transcribe(&recording.audio)?;
        Ok(Measurement {
            program: "longhand".to_owned(),
            recording: recording.name.to_owned(),
            audio_s: heard.duration_s,
            seconds,
            recogniser_s: Some(heard.timings.recogniser_s),
            wer: wer::word_error_rate(&recording.text, &heard.text),
            chunks: Some(heard.provenance.chunks_total),
            fallbacks: Some(heard.provenance.fallbacks),
        })
    }

    /// Runs one job as a user would and gives what was heard, and the seconds from submission to text.
    fn transcribe(&mut self, audio: &Path) -> anyhow::Result<(Heard, f64)> {
        self.forget()?;
        let text = self.store.with_file_name("result.json");
        let started = Instant::now();
        let mut command = Command::new(self.longhand);
        command.arg("transcribe").arg(audio).args(["--language", "en", "--json"]);
        command.envs(embedded::environment(self.ports, Some(&self.store)));
        command.stdin(Stdio::null()).stdout(File::create(&text)?).stderr(Stdio::inherit());
        let mut child = tether(&mut command).spawn().context("longhand cannot be run")?;
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            self.look_after()?;
        };
        let seconds = started.elapsed().as_secs_f64();
        anyhow::ensure!(status.success(), "longhand failed on {}: {status}", audio.display());
        let heard = serde_json::from_slice(&fs::read(&text)?).context("longhand's result is not understood")?;
        Ok((heard, seconds))
    }

    /// Drops plans and checkpoints, so that every run computes everything.
    fn forget(&self) -> anyhow::Result<()> {
        let audio = self.store.join("audio");
        if audio.exists() {
            fs::remove_dir_all(&audio).with_context(|| format!("cannot empty {}", audio.display()))?;
        }
        Ok(())
    }
}
