//! Which of a recording's work units is handed out when: a state machine without Temporal and without time.
//!
//! It is told what happens through [`Event`]s and answers with [`Command`]s, in the order in which they are to be
//! carried out. The same events always give the same commands, so a replayed workflow hands out the same units.

use std::collections::BTreeMap;

use super::stopped::Stopped;
use crate::result::StageFailure;

/// How many units are handed out. Most wait in the task queue, whose fairness keeps a long recording from standing in the
/// way of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    /// At the same time.
    pub(super) window: u32,
    /// By one run of the workflow, whose history they make longer.
    pub(super) in_a_run: u32,
}

impl Bounds {
    /// For jobs that were begun before there were bounds.
    pub(super) const NONE: Self = Self { window: u32::MAX, in_a_run: u32::MAX };

    const WINDOW: u32 = 300;
    /// Each costs at most six events, and a history may have 51,200.
    const IN_A_RUN: u32 = 2_000;
    /// Bytes of inputs that are handed out together: a workflow task's answer may have 4 MB.
    const WINDOW_BYTES: u32 = 2_000_000;
    /// A history may have 50 MB.
    const RUN_BYTES: u32 = 16_000_000;

    /// For units whose input has so many bytes, most of which is the prompt.
    pub(super) fn of_inputs(bytes: usize) -> Self {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).max(1);
        let window = (Self::WINDOW_BYTES / bytes).clamp(1, Self::WINDOW);
        Self { window, in_a_run: (Self::RUN_BYTES / bytes).clamp(window, Self::IN_A_RUN) }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    /// So many units are in the store. With a head start the first one is handed out before the others.
    UnitsAvailable {
        units: u32,
        head_start: bool,
        bounds: Bounds,
    },
    HeadStartOver,
    /// No more units will come: they are all there, those of another attempt count instead, or the job is cancelled.
    SegmentationEnded(Result<(), Stopped>),
    UnitEnded {
        unit: u32,
        outcome: Result<(), Stopped>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    StartUnit(u32),
    /// Tell when the first unit has had its head start.
    StartHeadStart,
    /// Tell when more than the `known` units are there, or no more come.
    AwaitUnits {
        known: u32,
    },
    /// Nothing runs, and the units from this one on are for the next run of the workflow.
    GoOnFrom(u32),
    Finish(Result<(), Stopped>),
}

pub(super) struct UnitScheduler {
    bounds: Bounds,
    /// The first unit that earlier runs of the workflow have left.
    first: u32,
    /// Units that may be handed out.
    known: u32,
    /// The first of them that was not.
    next: u32,
    running: u32,
    segmentation_ended: bool,
    failures: BTreeMap<u32, StageFailure>,
    cancelled: bool,
}

impl UnitScheduler {
    pub(super) fn new(first: u32) -> Self {
        Self {
            bounds: Bounds::NONE,
            first,
            known: first,
            next: first,
            running: 0,
            segmentation_ended: false,
            failures: BTreeMap::new(),
            cancelled: false,
        }
    }

    pub(super) fn step(&mut self, event: Event) -> Vec<Command> {
        let mut commands = Vec::new();
        match event {
            Event::UnitsAvailable { head_start: true, bounds, .. } => {
                self.bounds = bounds;
                self.known = 1;
                self.start_units(&mut commands);
                commands.push(Command::StartHeadStart);
            }
            Event::UnitsAvailable { units, head_start: false, bounds } => {
                self.bounds = bounds;
                self.known = units;
                self.start_units(&mut commands);
                commands.push(Command::AwaitUnits { known: units });
            }
            Event::HeadStartOver => commands.push(Command::AwaitUnits { known: self.known }),
            Event::SegmentationEnded(outcome) => {
                self.segmentation_ended = true;
                self.note(self.known, outcome);
            }
            Event::UnitEnded { unit, outcome } => {
                self.running -= 1;
                self.note(unit, outcome);
                self.start_units(&mut commands);
            }
        }
        if self.segmentation_ended && self.running == 0 {
            commands.push(if self.next == self.known {
                Command::Finish(self.outcome())
            } else {
                Command::GoOnFrom(self.next)
            });
        }
        commands
    }

    fn start_units(&mut self, commands: &mut Vec<Command>) {
        let end = self.known.min(self.first.saturating_add(self.bounds.in_a_run));
        while self.next < end && self.running < self.bounds.window {
            commands.push(Command::StartUnit(self.next));
            self.next += 1;
            self.running += 1;
        }
    }

    /// Where anything failed or was cancelled, units that wait for others are not started any more.
    fn note(&mut self, unit: u32, outcome: Result<(), Stopped>) {
        match outcome {
            Ok(()) => return,
            Err(Stopped::Cancelled) => self.cancelled = true,
            Err(Stopped::Failed(failure)) => drop(self.failures.insert(unit, failure)),
        }
        self.next = self.known;
    }

    /// The failure of the earliest unit: the others were cancelled because of one.
    fn outcome(&self) -> Result<(), Stopped> {
        match self.failures.values().next() {
            Some(failure) => Err(Stopped::Failed(failure.clone())),
            None if self.cancelled => Err(Stopped::Cancelled),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
