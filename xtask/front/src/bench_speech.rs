//! `cargo xtask bench-speech`: accuracy, speed and memory of the whole pipeline, on speech with exact
//! transcripts, through Temporal and the store; interleaved with a peer where that is asked for.

mod edges;
mod mixed;
mod noise;
mod peer;
mod report;
mod wer;

use std::{fs, path::Path, time::Instant};

use anyhow::Context;
use serde::Deserialize;
use serde_json::Value;
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
    setup, workspace,
};
use mixed::Mixed;
use peer::Peer;
use report::{Measurement, Report};

/// The id of the job of many hours.
const LONG: &str = "long";

/// Takes every measurement, in turns, and rewrites the report after each.
pub(crate) fn run(flags: &BenchSpeechFlags) -> anyhow::Result<()> {
    let corpus = Corpus::open(&flags.corpus)?.with_languages(&flags.corpus, &flags.languages)?;
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
        for recording in corpus.recordings.iter().filter(|recording| edges::are_known(&recording.name)) {
            say(format_args!("times of words, {}: {}", recogniser.name(), recording.name));
            let result = bench.transcribe(recogniser, &recording.audio, &recording.language, &["--words"])?.0;
            report.add_word_times(recogniser.name(), &recording.name, &edges::errors(&recording.name, &result.words)?);
        }
        for (name, path) in &noises {
            say(format_args!("a minute of {name}, {}", recogniser.name()));
            let result = bench.transcribe(recogniser, path, "en", &[])?.0;
            report.add_noise(recogniser.name(), name, wer::words(&result.text).len());
        }
    }
    if flags.mixed {
        let mixed = Mixed::make(folder.path(), &flags.corpus)?;
        for &recogniser in &flags.recogniser {
            say(format_args!("a recording of several languages, {}", recogniser.name()));
            let score = mixed.measure(|audio, language| Ok(bench.result(recogniser, audio, language)?.0))?;
            report.add_mixed(recogniser.name(), score);
            let cost = bench.detection_cost(recogniser, &flags.corpus.join("dense.flac"), flags.runs)?;
            report.add_detection_cost(recogniser.name(), cost);
        }
        if let Some(peer) = &peer {
            report.add_mixed("faster-whisper", peer.measure_mixed(&mixed)?);
        }
        report.write(flags.out.as_deref())?;
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
        self.transcribe(recogniser, &shortest.audio, &shortest.language, &[]).map(drop)
    }

    fn measure(&mut self, recogniser: Recogniser, recording: &Recording) -> anyhow::Result<Measurement> {
        let (result, seconds) = self.transcribe(recogniser, &recording.audio, &recording.language, &[])?;
        Ok(Measurement {
            program: format!("longhand {}", recogniser.name()),
            recording: recording.name.clone(),
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
        language: &str,
        options: &[&str],
    ) -> anyhow::Result<(JobResult, f64)> {
        self.forget()?;
        let started = Instant::now();
        let mut command = self.stack.longhand();
        command.arg("transcribe").arg(audio).args([
            "--language",
            language,
            "--json",
            "--recogniser",
            recogniser.name(),
        ]);
        command.args(options);
        let printed = self.stack.run(&mut command)?;
        let seconds = started.elapsed().as_secs_f64();
        Ok((serde_json::from_slice(&printed).context("longhand's result is not understood")?, seconds))
    }

    /// As [`Bench::transcribe`], with the result as it is printed.
    fn result(&mut self, recogniser: Recogniser, audio: &Path, language: &str) -> anyhow::Result<(Value, f64)> {
        self.forget()?;
        let started = Instant::now();
        let mut command = self.stack.longhand();
        command.arg("transcribe").arg(audio).args([
            "--json",
            "--language",
            language,
            "--recogniser",
            recogniser.name(),
        ]);
        let printed = self.stack.run(&mut command)?;
        let seconds = started.elapsed().as_secs_f64();
        Ok((serde_json::from_slice(&printed).context("longhand's result is not understood")?, seconds))
    }

    /// How much longer an English recording takes where its language is to be found, as a share: the least of so many
    /// runs, which alternate.
    fn detection_cost(&mut self, recogniser: Recogniser, english: &Path, runs: u32) -> anyhow::Result<f64> {
        let english = workspace::root().join(english);
        let mut least = [f64::INFINITY; 2];
        for _ in 0..runs {
            for (least, language) in least.iter_mut().zip(["en", "auto"]) {
                *least = least.min(self.result(recogniser, &english, language)?.1);
            }
        }
        Ok(least[1] / least[0] - 1.0)
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
