use super::{
    Command::{self, AwaitUnits, Finish, StartHeadStart, StartUnit},
    Event::{self, HeadStartOver, SegmentationEnded},
    UnitScheduler, WINDOW,
};
use crate::{result::StageFailure, temporal::workflows::stopped::Stopped};

fn available(units: u32) -> Event {
    Event::UnitsAvailable { units, head_start: false }
}

fn available_with_head_start(units: u32) -> Event {
    Event::UnitsAvailable { units, head_start: true }
}

fn ended(unit: u32, outcome: Result<(), Stopped>) -> Event {
    Event::UnitEnded { unit, outcome }
}

fn failed(message: &str) -> Result<(), Stopped> {
    Err(Stopped::Failed(StageFailure { stage: "transcribe".to_owned(), message: message.to_owned() }))
}

const CANCELLED: Result<(), Stopped> = Err(Stopped::Cancelled);

fn check(window: u32, steps: Vec<(Event, Vec<Command>)>) {
    let mut scheduler = UnitScheduler::new(window);
    for (position, (event, expected)) in steps.into_iter().enumerate() {
        assert_eq!(scheduler.step(event.clone()), expected, "step {position}: {event:?}");
    }
}

#[test]
fn units_are_handed_out_as_they_become_available() {
    check(
        WINDOW,
        vec![
            (available(1), vec![StartUnit(0), AwaitUnits { known: 1 }]),
            (available(3), vec![StartUnit(1), StartUnit(2), AwaitUnits { known: 3 }]),
            (ended(1, Ok(())), vec![]),
            (SegmentationEnded(Ok(())), vec![]),
            (ended(0, Ok(())), vec![]),
            (ended(2, Ok(())), vec![Finish(Ok(()))]),
        ],
    );
}

#[test]
fn a_recording_without_speech_has_no_units() {
    check(WINDOW, vec![(SegmentationEnded(Ok(())), vec![Finish(Ok(()))])]);
}

#[test]
fn all_known_units_may_end_before_more_come() {
    check(
        WINDOW,
        vec![
            (available(1), vec![StartUnit(0), AwaitUnits { known: 1 }]),
            (ended(0, Ok(())), vec![]),
            (available(2), vec![StartUnit(1), AwaitUnits { known: 2 }]),
            (ended(1, Ok(())), vec![]),
            (SegmentationEnded(Ok(())), vec![Finish(Ok(()))]),
        ],
    );
}

#[test]
fn the_first_unit_can_have_a_head_start() {
    check(
        WINDOW,
        vec![
            (available_with_head_start(3), vec![StartUnit(0), StartHeadStart]),
            (HeadStartOver, vec![AwaitUnits { known: 1 }]),
            (available(3), vec![StartUnit(1), StartUnit(2), AwaitUnits { known: 3 }]),
        ],
    );
    // It may end or fail before it is over.
    check(
        WINDOW,
        vec![
            (available_with_head_start(2), vec![StartUnit(0), StartHeadStart]),
            (ended(0, failed("no memory")), vec![]),
            (HeadStartOver, vec![AwaitUnits { known: 1 }]),
            (SegmentationEnded(CANCELLED), vec![Finish(failed("no memory"))]),
        ],
    );
}

#[test]
fn the_window_bounds_what_is_handed_out() {
    check(
        2,
        vec![
            (available(4), vec![StartUnit(0), StartUnit(1), AwaitUnits { known: 4 }]),
            (ended(1, Ok(())), vec![StartUnit(2)]),
            (SegmentationEnded(Ok(())), vec![]),
            (ended(0, Ok(())), vec![StartUnit(3)]),
            (ended(2, Ok(())), vec![]),
            (ended(3, Ok(())), vec![Finish(Ok(()))]),
        ],
    );
}

#[test]
fn nothing_more_is_handed_out_when_a_unit_failed_or_the_job_is_cancelled() {
    check(
        2,
        vec![
            (available(4), vec![StartUnit(0), StartUnit(1), AwaitUnits { known: 4 }]),
            (ended(1, failed("no memory")), vec![]),
            (SegmentationEnded(CANCELLED), vec![]),
            (ended(0, CANCELLED), vec![Finish(failed("no memory"))]),
        ],
    );
    check(
        1,
        vec![
            (available(4), vec![StartUnit(0), AwaitUnits { known: 4 }]),
            (SegmentationEnded(CANCELLED), vec![]),
            (ended(0, CANCELLED), vec![Finish(CANCELLED)]),
        ],
    );
}

#[test]
fn the_earliest_unit_that_failed_says_why() {
    check(
        WINDOW,
        vec![
            (available(3), vec![StartUnit(0), StartUnit(1), StartUnit(2), AwaitUnits { known: 3 }]),
            (ended(2, failed("late")), vec![]),
            (ended(1, failed("early")), vec![]),
            (SegmentationEnded(CANCELLED), vec![]),
            (ended(0, CANCELLED), vec![Finish(failed("early"))]),
        ],
    );
}
