//! `cargo xtask bench-speech`: accuracy, speed and memory of the whole pipeline, on speech with exact
//! transcripts, through Temporal and the store; interleaved with a peer where that is asked for.

mod edges;
mod noise;
mod peer;
mod report;
mod wer;

use std::{fs, path::Path, time::Instant};

use anyhow::Context;
use serde::Deserialize;
use tasks::output::say;

use crate::{
    bench_stack::{
        BenchStack,
        corpus::{Corpus, Recording},
        memory, recordings,
    },
    flags::BenchSpeechFlags,
    programs::JOB_PROGRAMS,
    recogniser::Recogniser,
    setup,
};
use peer::Peer;
use report::{Measurement, Report};

/// The id of the job of many hours.
const LONG: &str = "long";

/// Takes every measurement, in turns, and rewrites the report after each.
pub(crate) fn run(flags: &BenchSpeechFlags) -> anyhow::Result<()> {
    let corpus = Corpus::open(&flags.corpus)?;
    let features: Vec<&str> = flags.recogniser.iter().filter_map(|recogniser| recogniser.feature()).collect();
    let tools = setup::run_with_features(&JOB_PROGRAMS, &features)?;
    let peer = if flags.peers { Some(Peer::install()?) } else { None };
    let folder = tempfile::tempdir().context("no temporary folder")?;
    let mut bench = Bench { stack: BenchStack::start(&tools, folder.path())? };
    let mut report = Report::new(flags.runs);
    for run in 0..flags.runs {
        say(format_args!("run {} of {}", run + 1, flags.runs));
        for &recogniser in &flags.recogniser {
            bench.warm_up(recogniser, &corpus)?;
            for recording in &corpus.recordings {
                report.add(bench.measure(recogniser, recording)?);
                report.write(flags.out.as_deref())?;
            }
        }
        if let Some(peer) = &peer {
            for recording in &corpus.recordings {
                report.add(peer.measure(recording, bench.stack.interrupt())?);
                report.write(flags.out.as_deref())?;
            }
        }
    }
    let noises = noise::write_all(folder.path())?;
    for &recogniser in &flags.recogniser {
        for recording in &corpus.recordings {
            say(format_args!("times of words, {}: {}", recogniser.name(), recording.name));
            let result = bench.transcribe(recogniser, &recording.audio, &["--words"])?.0;
            if let Some(errors) = edges::errors(recording.name, &result.words)? {
                report.add_word_times(recogniser.name(), recording.name, &errors);
            }
        }
        for (name, path) in &noises {
            say(format_args!("a minute of {name}, {}", recogniser.name()));
            let result = bench.transcribe(recogniser, path, &[])?.0;
            report.add_noise(recogniser.name(), name, wer::words(&result.text).len());
        }
    }
    if let Some(hours) = flags.long {
        say(format_args!("ingestion of {hours} hours"));
        let path = recordings::hours(folder.path(), hours)?;
        report.set_long(hours, bench.stack.submit_until(&path, LONG, |shown| shown.duration_s > 0.0)?);
        bench.stack.cancel(LONG)?;
    }
    report.set_memory(memory::peaks()?);
    bench.stack.stop();
    report.write(flags.out.as_deref())?;
    report.print(flags.json)
}

/// What is read of a job's result.
#[derive(Deserialize)]
struct JobResult {
    text: String,
    words: Vec<edges::Word>,
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

/// What is measured of speech, on a stack of its own.
struct Bench<'a> {
    stack: BenchStack<'a>,
}

impl Bench<'_> {
    /// Has the recogniser load its model, which is not part of any measurement, as it is not for the peer.
    fn warm_up(&mut self, recogniser: Recogniser, corpus: &Corpus) -> anyhow::Result<()> {
        let shortest = corpus.recordings.iter().min_by_key(|recording| recording.text.len());
        let shortest = shortest.context("the corpus holds no recording")?;
        self.transcribe(recogniser, &shortest.audio, &[]).map(drop)
    }

    fn measure(&mut self, recogniser: Recogniser, recording: &Recording) -> anyhow::Result<Measurement> {
        let (result, seconds) = self.transcribe(recogniser, &recording.audio, &[])?;
        Ok(Measurement {
            program: format!("longhand {}", recogniser.name()),
            recording: recording.name.to_owned(),
            audio_s: result.duration_s,
            seconds,
            recogniser_s: Some(result.timings.recogniser_s),
            wer: wer::word_error_rate(&recording.text, &result.text),
            chunks: Some(result.provenance.chunks_total),
            fallbacks: Some(result.provenance.fallbacks),
        })
    }

    /// Runs one job as a user would and gives its result, and the seconds from submission to text.
    fn transcribe(
        &mut self,
        recogniser: Recogniser,
        audio: &Path,
        options: &[&str],
    ) -> anyhow::Result<(JobResult, f64)> {
        self.forget()?;
        let started = Instant::now();
        let mut command = self.stack.longhand();
        command.arg("transcribe").arg(audio).args(["--language", "en", "--json", "--recogniser", recogniser.name()]);
        command.args(options);
        let printed = self.stack.run(&mut command)?;
        let seconds = started.elapsed().as_secs_f64();
        Ok((serde_json::from_slice(&printed).context("longhand's result is not understood")?, seconds))
    }

    /// Drops plans and checkpoints, so that every run computes everything.
    fn forget(&self) -> anyhow::Result<()> {
        let audio = self.stack.store().join("audio");
        if audio.exists() {
            fs::remove_dir_all(&audio).with_context(|| format!("cannot empty {}", audio.display()))?;
        }
        Ok(())
    }
}
