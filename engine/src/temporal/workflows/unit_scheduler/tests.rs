use super::{
    Bounds,
    Command::{self, AwaitUnits, Finish, GoOnFrom, StartHeadStart, StartUnit},
    Event::{self, HeadStartOver, SegmentationEnded},
    UnitScheduler,
};
use crate::{result::StageFailure, temporal::workflows::stopped::Stopped};

fn available(units: u32) -> Event {
    within(Bounds::NONE, units)
}

fn within(bounds: Bounds, units: u32) -> Event {
    Event::UnitsAvailable { units, head_start: false, bounds }
}

fn available_with_head_start(units: u32) -> Event {
    Event::UnitsAvailable { units, head_start: true, bounds: Bounds::NONE }
}

fn window(window: u32) -> Bounds {
    Bounds { window, ..Bounds::NONE }
}

fn ended(unit: u32, outcome: Result<(), Stopped>) -> Event {
    Event::UnitEnded { unit, outcome }
}

fn failed(message: &str) -> Result<(), Stopped> {
    Err(Stopped::Failed(StageFailure { stage: "transcribe".to_owned(), message: message.to_owned() }))
}

const CANCELLED: Result<(), Stopped> = Err(Stopped::Cancelled);

fn check(steps: Vec<(Event, Vec<Command>)>) {
    check_from(0, steps);
}

fn check_from(first: u32, steps: Vec<(Event, Vec<Command>)>) {
    let mut scheduler = UnitScheduler::new(first);
    for (position, (event, expected)) in steps.into_iter().enumerate() {
        assert_eq!(scheduler.step(event.clone()), expected, "step {position}: {event:?}");
    }
}

#[test]
fn units_are_handed_out_as_they_become_available() {
    check(vec![
        (available(1), vec![StartUnit(0), AwaitUnits { known: 1 }]),
        (available(3), vec![StartUnit(1), StartUnit(2), AwaitUnits { known: 3 }]),
        (ended(1, Ok(())), vec![]),
        (SegmentationEnded(Ok(())), vec![]),
        (ended(0, Ok(())), vec![]),
        (ended(2, Ok(())), vec![Finish(Ok(()))]),
    ]);
}

#[test]
fn a_recording_without_speech_has_no_units() {
    check(vec![(SegmentationEnded(Ok(())), vec![Finish(Ok(()))])]);
}

#[test]
fn all_known_units_may_end_before_more_come() {
    check(vec![
        (available(1), vec![StartUnit(0), AwaitUnits { known: 1 }]),
        (ended(0, Ok(())), vec![]),
        (available(2), vec![StartUnit(1), AwaitUnits { known: 2 }]),
        (ended(1, Ok(())), vec![]),
        (SegmentationEnded(Ok(())), vec![Finish(Ok(()))]),
    ]);
}

#[test]
fn the_first_unit_can_have_a_head_start() {
    check(vec![
        (available_with_head_start(3), vec![StartUnit(0), StartHeadStart]),
        (HeadStartOver, vec![AwaitUnits { known: 1 }]),
        (available(3), vec![StartUnit(1), StartUnit(2), AwaitUnits { known: 3 }]),
    ]);
    // It may end or fail before it is over.
    check(vec![
        (available_with_head_start(2), vec![StartUnit(0), StartHeadStart]),
        (ended(0, failed("no memory")), vec![]),
        (HeadStartOver, vec![AwaitUnits { known: 1 }]),
        (SegmentationEnded(CANCELLED), vec![Finish(failed("no memory"))]),
    ]);
}

#[test]
fn the_window_bounds_what_is_handed_out() {
    check(vec![
        (within(window(2), 4), vec![StartUnit(0), StartUnit(1), AwaitUnits { known: 4 }]),
        (ended(1, Ok(())), vec![StartUnit(2)]),
        (SegmentationEnded(Ok(())), vec![]),
        (ended(0, Ok(())), vec![StartUnit(3)]),
        (ended(2, Ok(())), vec![]),
        (ended(3, Ok(())), vec![Finish(Ok(()))]),
    ]);
}

#[test]
fn what_does_not_fit_a_run_is_left_to_the_next_once_nothing_runs() {
    let bounds = Bounds { window: 2, in_a_run: 3 };
    check(vec![
        (within(bounds, 5), vec![StartUnit(0), StartUnit(1), AwaitUnits { known: 5 }]),
        (ended(0, Ok(())), vec![StartUnit(2)]),
        (SegmentationEnded(Ok(())), vec![]),
        (ended(2, Ok(())), vec![]),
        (ended(1, Ok(())), vec![GoOnFrom(3)]),
    ]);
    check_from(
        3,
        vec![
            (within(bounds, 5), vec![StartUnit(3), StartUnit(4), AwaitUnits { known: 5 }]),
            (SegmentationEnded(Ok(())), vec![]),
            (ended(4, Ok(())), vec![]),
            (ended(3, Ok(())), vec![Finish(Ok(()))]),
        ],
    );
    // While the recording is still being segmented no run can end.
    check(vec![
        (within(Bounds { window: 2, in_a_run: 2 }, 3), vec![StartUnit(0), StartUnit(1), AwaitUnits { known: 3 }]),
        (ended(0, Ok(())), vec![]),
        (ended(1, Ok(())), vec![]),
        (within(Bounds { window: 2, in_a_run: 2 }, 9), vec![AwaitUnits { known: 9 }]),
        (SegmentationEnded(Ok(())), vec![GoOnFrom(2)]),
    ]);
    // A job that failed or was cancelled has no next run.
    for stopped in [failed("no memory"), CANCELLED] {
        check(vec![
            (within(bounds, 5), vec![StartUnit(0), StartUnit(1), AwaitUnits { known: 5 }]),
            (SegmentationEnded(Ok(())), vec![]),
            (ended(0, stopped.clone()), vec![]),
            (ended(1, CANCELLED), vec![Finish(stopped)]),
        ]);
    }
}

#[test]
fn long_prompts_leave_room_for_fewer_units() {
    for (bytes, window, in_a_run) in
        [(0, 300, 2_000), (700, 300, 2_000), (10_000, 200, 1_600), (48 * 1024, 40, 325), (usize::MAX, 1, 1)]
    {
        assert_eq!(Bounds::of_inputs(bytes), Bounds { window, in_a_run }, "{bytes} bytes");
    }
}

#[test]
fn nothing_more_is_handed_out_when_a_unit_failed_or_the_job_is_cancelled() {
    check(vec![
        (within(window(2), 4), vec![StartUnit(0), StartUnit(1), AwaitUnits { known: 4 }]),
        (ended(1, failed("no memory")), vec![]),
        (SegmentationEnded(CANCELLED), vec![]),
        (ended(0, CANCELLED), vec![Finish(failed("no memory"))]),
    ]);
    check(vec![
        (within(window(1), 4), vec![StartUnit(0), AwaitUnits { known: 4 }]),
        (SegmentationEnded(CANCELLED), vec![]),
        (ended(0, CANCELLED), vec![Finish(CANCELLED)]),
    ]);
}

#[test]
fn the_earliest_unit_that_failed_says_why() {
    check(vec![
        (available(3), vec![StartUnit(0), StartUnit(1), StartUnit(2), AwaitUnits { known: 3 }]),
        (ended(2, failed("late")), vec![]),
        (ended(1, failed("early")), vec![]),
        (SegmentationEnded(CANCELLED), vec![]),
        (ended(0, CANCELLED), vec![Finish(failed("early"))]),
    ]);
}
