//! A step of an image in the record of a build.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use crate::{
    build_event::{Moment, StepUpdate},
    timings::intervals::covered,
};

/// The lines of a step's output that are kept for the report of its failure.
const TAIL_LINES: usize = 20;

#[derive(Debug)]
pub(crate) struct StepRecord {
    pub(crate) digest: String,
    pub(crate) name: String,
    pub(crate) inputs: Vec<String>,
    pub(crate) cached: bool,
    pub(crate) error: Option<String>,
    pub(crate) outcome: StepOutcome,
    /// End by start; an end is missing while the step runs.
    runs: BTreeMap<Moment, Option<Moment>>,
    /// Bytes by the names of the transfers.
    transfers: BTreeMap<String, u64>,
    pub(crate) tail: VecDeque<String>,
    open_line: String,
}

/// How a step came to its result; what says most about the build comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StepOutcome {
    /// It ran for this image.
    Ran,
    /// Another image of this build ran it.
    Shared,
    /// Its result was there before this build began.
    Cached,
    /// It was announced and never began.
    NotRun,
}

impl StepRecord {
    pub(super) fn new(update: &StepUpdate) -> StepRecord {
        StepRecord {
            digest: update.digest.clone(),
            name: update.name.clone(),
            inputs: update.inputs.clone(),
            cached: false,
            error: None,
            outcome: StepOutcome::NotRun,
            runs: BTreeMap::new(),
            transfers: BTreeMap::new(),
            tail: VecDeque::new(),
            open_line: String::new(),
        }
    }

    pub(super) fn update(&mut self, update: &StepUpdate) {
        self.cached |= update.cached;
        self.error = update.error.clone().or(self.error.take());
        if let Some(started) = update.started {
            let end = self.runs.entry(started).or_default();
            *end = update.completed.or(*end);
        }
    }

    /// The times in which it was at work, those that have an end.
    pub(crate) fn intervals(&self) -> impl Iterator<Item = (Moment, Moment)> + '_ {
        self.runs.iter().filter_map(|(start, end)| Some((*start, (*end)?)))
    }

    pub(crate) fn is_running(&self) -> bool {
        self.runs.values().any(Option::is_none)
    }

    pub(crate) fn starts(&self) -> impl Iterator<Item = Moment> + '_ {
        self.runs.keys().copied()
    }

    pub(crate) fn started(&self) -> Option<Moment> {
        self.starts().next()
    }

    pub(crate) fn completed(&self) -> Option<Moment> {
        self.intervals().map(|(_, end)| end).max()
    }

    pub(crate) fn duration(&self) -> Duration {
        covered(self.intervals())
    }

    /// Whether it is an instruction of a Dockerfile, and not the engine's own housekeeping.
    pub(crate) fn is_instruction(&self) -> bool {
        let housekeeping = ["[internal] ", "[auth] ", "[context "];
        self.name.starts_with('[') && !housekeeping.iter().any(|prefix| self.name.starts_with(prefix))
    }

    pub(super) fn context_bytes(&self) -> u64 {
        let sent = self.transfers.iter().filter(|(name, _)| name.starts_with("transferring"));
        sent.map(|(_, bytes)| bytes).sum()
    }

    /// `bytes` in all, in the transfer of that name.
    pub(super) fn transferred(&mut self, name: &str, bytes: u64) {
        self.transfers.insert(name.to_owned(), bytes);
    }

    pub(super) fn append(&mut self, text: &str) {
        self.open_line.push_str(text);
        while let Some(end) = self.open_line.find('\n') {
            let line: String = self.open_line.drain(..=end).collect();
            self.push_line(line.trim_end());
        }
    }

    fn push_line(&mut self, line: &str) {
        // A program that redraws its line means the last drawing.
        let shown = line.rsplit('\r').next().unwrap_or_default();
        if self.tail.len() == TAIL_LINES {
            self.tail.pop_front();
        }
        self.tail.push_back(shown.to_owned());
    }

    /// The last lines of its output, an unfinished one included.
    pub(crate) fn last_lines(&self) -> Vec<&str> {
        let open = Some(self.open_line.as_str()).filter(|line| !line.is_empty());
        let lines: Vec<&str> = self.tail.iter().map(String::as_str).chain(open).collect();
        lines[lines.len().saturating_sub(TAIL_LINES)..].to_vec()
    }
}
