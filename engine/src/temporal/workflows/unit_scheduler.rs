//! Which of a recording's work units is handed out when: a state machine without Temporal and without time.
//!
//! It is told what happens through [`Event`]s and answers with [`Command`]s, in the order in which they are to be
//! carried out. The same events always give the same commands, so a replayed workflow hands out the same units.

use std::collections::BTreeMap;

use super::stopped::Stopped;
use crate::result::StageFailure;

/// Units of one job that may be handed out at the same time. All: the task queue is where they wait, and its fairness
/// is what keeps a long recording from standing in the way of others.
pub(super) const WINDOW: u32 = u32::MAX;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    /// So many units are in the store. With a head start the first one is handed out before the others.
    UnitsAvailable {
        units: u32,
        head_start: bool,
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
    Finish(Result<(), Stopped>),
}

pub(super) struct UnitScheduler {
    window: u32,
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
    pub(super) fn new(window: u32) -> Self {
        Self {
            window,
            known: 0,
            next: 0,
            running: 0,
            segmentation_ended: false,
            failures: BTreeMap::new(),
            cancelled: false,
        }
    }

    pub(super) fn step(&mut self, event: Event) -> Vec<Command> {
        let mut commands = Vec::new();
        match event {
            Event::UnitsAvailable { head_start: true, .. } => {
                self.known = 1;
                self.start_units(&mut commands);
                commands.push(Command::StartHeadStart);
            }
            Event::UnitsAvailable { units, head_start: false } => {
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
        if self.segmentation_ended && self.running == 0 && self.next == self.known {
            commands.push(Command::Finish(self.outcome()));
        }
        commands
    }

    fn start_units(&mut self, commands: &mut Vec<Command>) {
        while self.next < self.known && self.running < self.window {
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
