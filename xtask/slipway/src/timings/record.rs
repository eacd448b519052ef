//! The record of a build, grown event by event.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, SystemTime},
};

use super::{intervals::covered, shared};
use crate::build::event::{BuildEvent, ImageOutcome, Moment, StepUpdate};

/// The lines of a step's output that are kept for the report of its failure.
const TAIL_LINES: usize = 20;

#[derive(Debug)]
pub(crate) struct BuildRecord {
    pub(crate) project: String,
    pub(crate) engine: String,
    pub(crate) began: SystemTime,
    pub(crate) wall: Moment,
    /// Bytes that went to the engine over the sessions.
    pub(crate) context_sent: u64,
    pub(crate) images: Vec<ImageRecord>,
    pub(crate) notices: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct ImageRecord {
    pub(crate) name: String,
    /// When it got its slot; none where it never did.
    pub(crate) started: Option<Moment>,
    pub(crate) finished: Option<Moment>,
    /// Why it was solved; empty where it was not.
    pub(crate) because: String,
    /// The daemon that built it; empty for the engine.
    pub(crate) builder: String,
    pub(crate) outcome: Option<ImageOutcome>,
    /// In the order in which the engine announced them.
    pub(crate) steps: Vec<StepRecord>,
    pub(crate) warnings: Vec<String>,
}

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

impl BuildRecord {
    pub(crate) fn new<'a>(
        project: &str,
        engine: &str,
        began: SystemTime,
        images: impl Iterator<Item = &'a str>,
    ) -> BuildRecord {
        let images = images.map(ImageRecord::new).collect();
        let (project, engine) = (project.to_owned(), engine.to_owned());
        BuildRecord { project, engine, began, wall: Moment::default(), context_sent: 0, images, notices: Vec::new() }
    }

    pub(crate) fn apply(&mut self, event: &BuildEvent) {
        match event {
            BuildEvent::Announcement { .. } => {}
            BuildEvent::Notice { message } => self.notices.push(message.clone()),
            BuildEvent::ContextSent { bytes } => self.context_sent = *bytes,
            BuildEvent::ImageStarted { image, at, because } => self.with_image(image, |record| {
                record.started = Some(*at);
                record.because.clone_from(because);
            }),
            BuildEvent::ImagePlaced { image, builder } => {
                self.with_image(image, |record| record.builder.clone_from(builder));
            }
            BuildEvent::ImageRestarted { image } => self.with_image(image, |record| record.steps.clear()),
            BuildEvent::ImageFinished { image, at, outcome } => self.with_image(image, |record| {
                record.finished = Some(*at);
                record.outcome = Some(outcome.clone());
            }),
            BuildEvent::Step { image, step } => self.with_image(image, |record| record.update(step)),
            BuildEvent::Log { image, step, text, .. } => {
                self.with_step(image, step, |record| record.append(text));
            }
            BuildEvent::Progress { image, step, name, current, .. } => {
                self.with_step(image, step, |record| {
                    record.transfers.insert(name.clone(), *current);
                });
            }
            BuildEvent::Warning { image, message, file, line, .. } => self.with_image(image, |record| {
                let warning = format!("{file}:{line}: {message}");
                if !record.warnings.contains(&warning) {
                    record.warnings.push(warning);
                }
            }),
        }
    }

    /// Ends the record: only now is it known which steps were shared.
    pub(crate) fn finish(&mut self, wall: Moment) {
        self.wall = wall;
        shared::decide(&mut self.images);
    }

    pub(crate) fn image(&self, name: &str) -> Option<&ImageRecord> {
        self.images.iter().find(|image| image.name == name)
    }

    fn with_image(&mut self, name: &str, change: impl FnOnce(&mut ImageRecord)) {
        if let Some(image) = self.images.iter_mut().find(|image| image.name == name) {
            change(image);
        }
    }

    fn with_step(&mut self, image: &str, digest: &str, change: impl FnOnce(&mut StepRecord)) {
        self.with_image(image, |image| {
            if let Some(step) = image.steps.iter_mut().find(|step| step.digest == digest) {
                change(step);
            }
        });
    }
}

impl ImageRecord {
    fn new(name: &str) -> ImageRecord {
        ImageRecord {
            name: name.to_owned(),
            started: None,
            finished: None,
            because: String::new(),
            builder: String::new(),
            outcome: None,
            steps: Vec::new(),
            warnings: Vec::new(),
        }
    }

    pub(crate) fn step(&self, digest: &str) -> Option<&StepRecord> {
        self.steps.iter().find(|step| step.digest == digest)
    }

    /// How many instructions of its Dockerfile came to their results in this way. One that the
    /// engine met twice, before and after it knew the copied files, counts once.
    pub(crate) fn instructions(&self, outcome: StepOutcome) -> usize {
        let mut by_name: BTreeMap<&str, StepOutcome> = BTreeMap::new();
        for step in self.steps.iter().filter(|step| step.is_instruction()) {
            let known = by_name.entry(&step.name).or_insert(step.outcome);
            *known = step.outcome.min(*known);
        }
        by_name.values().filter(|found| **found == outcome).count()
    }

    /// From its slot to its end.
    pub(crate) fn wall(&self) -> Duration {
        match (self.started, self.finished) {
            (Some(started), Some(finished)) => finished.since(started),
            _ => Duration::ZERO,
        }
    }

    /// The time of its window in which none of its steps was at work.
    pub(crate) fn waiting(&self) -> Duration {
        let (Some(started), Some(finished)) = (self.started, self.finished) else {
            return Duration::ZERO;
        };
        let clamp = |(start, end): (Moment, Moment)| (start.clamp(started, finished), end.clamp(started, finished));
        let busy = covered(self.steps.iter().flat_map(StepRecord::intervals).map(clamp));
        self.wall().saturating_sub(busy)
    }

    /// Bytes of its contexts that the engine took, as the engine counts.
    pub(crate) fn context_bytes(&self) -> u64 {
        let own = self.steps.iter().filter(|step| step.outcome != StepOutcome::Shared);
        own.map(StepRecord::context_bytes).sum()
    }

    fn update(&mut self, update: &StepUpdate) {
        let index = match self.steps.iter().position(|step| step.digest == update.digest) {
            Some(index) => index,
            None => {
                self.steps.push(StepRecord::new(update));
                self.steps.len() - 1
            }
        };
        self.steps[index].update(update);
    }
}

impl StepRecord {
    fn new(update: &StepUpdate) -> StepRecord {
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

    fn update(&mut self, update: &StepUpdate) {
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

    fn context_bytes(&self) -> u64 {
        let sent = self.transfers.iter().filter(|(name, _)| name.starts_with("transferring"));
        sent.map(|(_, bytes)| bytes).sum()
    }

    fn append(&mut self, text: &str) {
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
