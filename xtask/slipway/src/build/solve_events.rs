//! What a solve tells, as events of the build.

use crate::build_event::{BuildEvent, Clock, Failure, StepUpdate};
use crate::buildkit::{SolveFailure, Status, StepLog, StepProgress, StepState, StepWarning};

/// One event for each thing that a status tells of, in the order in which it tells them.
pub(super) fn events_of(image: &str, status: Status, clock: Clock) -> impl Iterator<Item = BuildEvent> {
    let steps = status.steps.into_iter().map(move |step| step_event(image, step, clock));
    let progress = status.progress.into_iter().map(|part| {
        let StepProgress { step, name, current, total } = part;
        BuildEvent::Progress { image: image.to_owned(), step, name, current, total }
    });
    let logs = status.logs.into_iter().map(move |log| {
        let StepLog { step, at, text } = log;
        BuildEvent::Log { image: image.to_owned(), step, at: clock.moment(at), text }
    });
    let warnings = status.warnings.into_iter().map(|warning| {
        let StepWarning { message, file, line, url } = warning;
        BuildEvent::Warning { image: image.to_owned(), message, file, line, url }
    });
    steps.chain(progress).chain(logs).chain(warnings)
}

fn step_event(image: &str, step: StepState, clock: Clock) -> BuildEvent {
    let step = StepUpdate {
        digest: step.digest,
        name: step.name,
        inputs: step.inputs,
        cached: step.cached,
        started: step.started.map(|time| clock.moment(time)),
        completed: step.completed.map(|time| clock.moment(time)),
        error: Some(step.error).filter(|error| !error.is_empty()),
    };
    BuildEvent::Step { image: image.to_owned(), step }
}

impl From<SolveFailure> for Failure {
    fn from(failure: SolveFailure) -> Failure {
        Failure { message: failure.message, step: failure.step, lines: failure.lines, engine_lost: failure.engine_lost }
    }
}
