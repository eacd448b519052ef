//! `cargo xtask bench-jobs`: what many jobs at once take beyond their recognition, and how soon the first words of a
//! job are there when others are at work.

mod peer;

use std::{fs, path::Path, time::Instant};

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};
use tasks::output::{print, print_json, say};

use crate::{
    bench_stack::{BenchStack, corpus::Corpus, recordings},
    flags::BenchJobsFlags,
    programs::JOB_PROGRAMS,
    setup, workspace,
};
use peer::Peer;

/// Jobs that run at the same time; the peer's workflows do, too.
const CONCURRENCY: u32 = 50;

#[derive(Debug, Serialize)]
struct Report {
    cores: usize,
    /// Jobs of a recording that is recognised already, so that nothing is left of a job but its orchestration.
    jobs: u32,
    jobs_s: f64,
    /// As many workflows of three activities that do nothing, in Temporal's Python SDK on the same server.
    peer_s: Option<f64>,
    /// Different clips of 11 s, submitted at once.
    clips: u32,
    clips_s: f64,
    /// The recogniser's own seconds, added up over the cores, of which each recognises a clip.
    clips_recogniser_s: f64,
    /// From the submission of an hour to its first words, when nothing else is at work.
    first_words_s: f64,
    /// From the submission of a clip to its text, while the hour is being recognised.
    #[serde(rename = "behind_an_hour_s")]
    after_an_hour_s: f64,
}

/// Takes every measurement once.
pub(crate) fn run(flags: &BenchJobsFlags) -> anyhow::Result<()> {
    let corpus = Corpus::open(&flags.corpus)?;
    let tools = setup::run(&JOB_PROGRAMS)?;
    let peer = if flags.peers { Some(Peer::install()?) } else { None };
    let folder = tempfile::tempdir().context("no temporary folder")?;
    let folder = folder.path();
    // Before anything is measured: what it is made with may have to be fetched, and may be missing.
    let hour = recordings::speech(folder, &corpus, 3600)?;
    let mut stack = BenchStack::start(&tools, folder)?;
    let sample = workspace::sample();
    transcribe(&mut stack, &sample, &[])?;

    say(format_args!("{} jobs of one recording", flags.jobs));
    let same = folder.join("same");
    fs::create_dir(&same)?;
    for job in 0..flags.jobs {
        fs::copy(&sample, same.join(format!("{job:05}.flac")))?;
    }
    let (jobs_s, _) = batch(&mut stack, &same, flags.jobs, CONCURRENCY)?;
    let peer_s = peer.map(|peer| peer.measure(&mut stack, flags.jobs, CONCURRENCY)).transpose()?;

    say(format_args!("{} clips at once", flags.clips));
    let clips = folder.join("clips");
    recordings::clips(&clips, flags.clips)?;
    let (clips_s, clips_recogniser_s) = batch(&mut stack, &clips, flags.clips, flags.clips)?;

    say(format_args!("an hour, and a clip after it"));
    let first_words_s = stack.submit_until(&hour, HOUR, |shown| shown.chunks_done > 0)?;
    let last = folder.join("last");
    recordings::clips(&last, 1)?;
    // Its bytes are known to the store; other options make other checkpoints.
    let after_an_hour_s = transcribe(&mut stack, &last.join("0000.wav"), &["--prompt", "After an hour."])?;
    stack.cancel(HOUR)?;
    stack.stop();

    let report = Report {
        cores: std::thread::available_parallelism()?.get(),
        jobs: flags.jobs,
        jobs_s,
        peer_s,
        clips: flags.clips,
        clips_s,
        clips_recogniser_s,
        first_words_s,
        after_an_hour_s,
    };
    Ok(if flags.json { print_json(&report) } else { print(&report.table()) }?)
}

/// The id of the long job.
const HOUR: &str = "hour";

/// Seconds from submission to text.
fn transcribe(stack: &mut BenchStack<'_>, audio: &Path, options: &[&str]) -> anyhow::Result<f64> {
    let started = Instant::now();
    let mut command = stack.longhand();
    stack.run(command.arg("transcribe").arg(audio).args(["--language", "en", "--json"]).args(options))?;
    Ok(started.elapsed().as_secs_f64())
}

/// What is read of a job's result.
#[derive(Deserialize)]
struct JobResult {
    status: String,
    timings: Timings,
}

#[derive(Deserialize)]
struct Timings {
    recogniser_s: f64,
}

/// Runs all recordings of a folder. Gives the seconds it took, and the recogniser's own.
fn batch(stack: &mut BenchStack<'_>, folder: &Path, jobs: u32, concurrency: u32) -> anyhow::Result<(f64, f64)> {
    let results = folder.with_extension("results");
    let concurrency = concurrency.to_string();
    let started = Instant::now();
    let mut command = stack.longhand();
    command.arg("batch").arg(folder).args(["--language", "en", "--concurrency", &concurrency, "--json"]);
    stack.run(command.args(["--format", "json", "--output"]).arg(&results))?;
    let seconds = started.elapsed().as_secs_f64();
    let mut recogniser_s = 0.0;
    let mut done = 0;
    for result in fs::read_dir(&results).with_context(|| format!("cannot read {}", results.display()))? {
        let result: JobResult = serde_json::from_slice(&fs::read(result?.path())?)?;
        ensure!(result.status == "completed", "a job ended as {}", result.status);
        recogniser_s += result.timings.recogniser_s;
        done += 1;
    }
    ensure!(done == jobs, "{done} of {jobs} jobs left a result");
    Ok((seconds, recogniser_s))
}

impl Report {
    fn table(&self) -> String {
        let per_second = |seconds: f64| f64::from(self.jobs) / seconds;
        let mut table = format!(
            "{} jobs without recognition: {:.1} s, {:.1} a second\n",
            self.jobs,
            self.jobs_s,
            per_second(self.jobs_s)
        );
        if let Some(peer_s) = self.peer_s {
            table += &format!(
                "{}: {peer_s:.1} s, {:.1} a second; Longhand does {:.2} times as many\n",
                peer::NAME,
                per_second(peer_s),
                peer_s / self.jobs_s
            );
        }
        table += &format!(
            "{} clips at once: {:.1} s on {} cores, of whose time {:.2} is the recogniser's\n",
            self.clips,
            self.clips_s,
            self.cores,
            self.clips_recogniser_s / (self.clips_s * self.cores as f64)
        );
        table += &format!("first words of an hour: after {:.2} s\n", self.first_words_s);
        table + &format!("a clip while the hour is at work: after {:.2} s\n", self.after_an_hour_s)
    }
}
