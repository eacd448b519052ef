//! What was measured, as a table for people and as JSON for machines.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::Context;
use serde::Serialize;
use tasks::output::{print, print_json};

/// One recording through one program, once.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Measurement {
    pub(crate) program: String,
    pub(crate) recording: String,
    pub(crate) audio_s: f64,
    /// From submission to text.
    pub(crate) seconds: f64,
    /// Of these, the recogniser's own.
    pub(crate) recogniser_s: Option<f64>,
    /// Word error rate.
    pub(crate) wer: f64,
    pub(crate) chunks: Option<u32>,
    pub(crate) fallbacks: Option<u32>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Report {
    runs: u32,
    cores: usize,
    measurements: Vec<Measurement>,
    /// Words that were heard where nobody spoke.
    noise_words: BTreeMap<String, usize>,
    /// How far first and last words of prompts are off.
    word_times: BTreeMap<String, WordTimes>,
    /// Ingestion of a recording of many hours.
    long: Option<Long>,
    /// Peak resident megabytes of each process.
    memory_mb: BTreeMap<String, u64>,
}

#[derive(Debug, Serialize)]
struct WordTimes {
    edges: usize,
    median_error_s: f64,
}

#[derive(Debug, Serialize)]
struct Long {
    hours: u32,
    ingest_s: f64,
}

impl Report {
    pub(crate) fn new(runs: u32) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            runs,
            cores,
            measurements: Vec::new(),
            noise_words: BTreeMap::new(),
            word_times: BTreeMap::new(),
            long: None,
            memory_mb: BTreeMap::new(),
        }
    }

    pub(crate) fn add(&mut self, measurement: Measurement) {
        self.measurements.push(measurement);
    }

    pub(crate) fn add_noise(&mut self, recogniser: &str, kind: &str, words: usize) {
        self.noise_words.insert(format!("{kind}, {recogniser}"), words);
    }

    /// `errors` in seconds, one for each edge that was found.
    pub(crate) fn add_word_times(&mut self, recogniser: &str, recording: &str, errors: &[f64]) {
        let times = WordTimes { edges: errors.len(), median_error_s: median(errors.iter().copied()) };
        self.word_times.insert(format!("{recording}, {recogniser}"), times);
    }

    pub(crate) fn set_long(&mut self, hours: u32, ingest_s: f64) {
        self.long = Some(Long { hours, ingest_s });
    }

    pub(crate) fn set_memory(&mut self, memory_mb: BTreeMap<String, u64>) {
        self.memory_mb = memory_mb;
    }

    /// Replaces the file with what is known so far.
    pub(crate) fn write(&self, out: Option<&Path>) -> anyhow::Result<()> {
        let Some(out) = out else { return Ok(()) };
        fs::write(out, serde_json::to_vec_pretty(self)?).with_context(|| format!("cannot write {}", out.display()))
    }

    pub(crate) fn print(&self, json: bool) -> anyhow::Result<()> {
        Ok(if json { print_json(self) } else { print(&self.table()) }?)
    }

    fn table(&self) -> String {
        let mut table = format!("medians of {} runs on {} cores\n\n", self.runs, self.cores);
        table += "recording  program                 seconds  x real time   WER    recogniser s  least-most\n";
        for ((recording, program), measured) in self.groups() {
            let seconds = median(measured.iter().map(|one| one.seconds));
            let audio_s = self.audio_s(&recording);
            let recogniser_s = median(measured.iter().filter_map(|one| one.recogniser_s));
            let least = measured.iter().map(|one| one.seconds).fold(f64::INFINITY, f64::min);
            let most = measured.iter().map(|one| one.seconds).fold(0.0, f64::max);
            let wer = median(measured.iter().map(|one| one.wer));
            table += &format!(
                "{recording:10} {program:22} {seconds:8.2} {:12.4} {wer:7.4} {recogniser_s:13.2}  {least:.2}-{most:.2}\n",
                seconds / audio_s,
            );
        }
        table += &self.ratios();
        table += "\nwords heard where nobody speaks: ";
        let noise: Vec<_> = self.noise_words.iter().map(|(kind, words)| format!("{kind}: {words}")).collect();
        table += &noise.join("; ");
        for (recording, WordTimes { edges, median_error_s }) in &self.word_times {
            table += &format!("\nwords of {recording}: half of {edges} edges are within {median_error_s:.3} s");
        }
        if let Some(Long { hours, ingest_s }) = &self.long {
            table += &format!("\ningestion of {hours} hours: {ingest_s:.1} s");
        }
        let memory: Vec<_> = self.memory_mb.iter().map(|(name, megabytes)| format!("{name} {megabytes} MB")).collect();
        table + "\npeak memory: " + &memory.join(", ") + "\n"
    }

    fn ratios(&self) -> String {
        let groups = self.groups();
        let mut lines = String::new();
        let is_ours = |program: &str| program.starts_with("longhand");
        for ((recording, program), peer) in groups.iter().filter(|((_, program), _)| !is_ours(program)) {
            for ((_, our), ours) in groups.iter().filter(|((same, our), _)| same == recording && is_ours(our)) {
                let ratio = median(ours.iter().map(|one| one.seconds)) / median(peer.iter().map(|one| one.seconds));
                lines += &format!("{recording}: {our} takes {ratio:.2} of the time of {program}\n");
            }
        }
        lines
    }

    fn groups(&self) -> BTreeMap<(String, String), Vec<&Measurement>> {
        let mut groups: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for one in &self.measurements {
            groups.entry((one.recording.clone(), one.program.clone())).or_default().push(one);
        }
        groups
    }

    fn audio_s(&self, recording: &str) -> f64 {
        self.measurements.iter().filter(|one| one.recording == recording).map(|one| one.audio_s).fold(0.0, f64::max)
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        count if count % 2 == 1 => values[count / 2],
        count => f64::midpoint(values[count / 2 - 1], values[count / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_the_middle_one() {
        for (values, expected) in [(vec![], 0.0), (vec![3.0], 3.0), (vec![9.0, 1.0, 2.0], 2.0), (vec![4.0, 2.0], 3.0)] {
            assert_eq!(median(values.iter().copied()), expected, "{values:?}");
        }
    }
}
