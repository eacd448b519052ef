//! The recognition of a recording, which begins when its first work unit is in the store and ends with its last:
//! ingestion may still be at work on later ones.

use std::{future::poll_fn, task::Poll, time::Duration};

use futures_util::future::LocalBoxFuture;
use temporalio_sdk::{WaitConditionOptions, WorkflowCancellationToken, WorkflowContext};

use super::{
    activity_calls::call,
    continued::Continued,
    job_state::{JobState, enter},
    segmentation::Segmentation,
    stopped::{Stopped, cancelling_others},
    unit_scheduler::{Bounds, Command, Event, UnitScheduler},
};
use crate::{
    job::SpeechOptions,
    temporal::{
        contracts::{Prepare, PrepareInput, Prepared, TranscribeUnit, UnitInput},
        progress::Stage,
    },
};

/// A work unit with the largest model on a small machine.
const UNIT_LIMIT: Duration = Duration::from_secs(4 * 3600);

/// How long a recording's first unit is ahead of the others. Workers take what reaches the server first, and of what
/// is handed out together that can be any.
const HEAD_START: Duration = Duration::from_millis(1);

/// Tells jobs that give their first unit a head start from those that were begun before that was done. The word is in
/// histories.
const WITH_HEAD_START: &str = "head-start";

/// Tells jobs that hand out their units within bounds from those that were begun before that was done. The word is in
/// histories.
const WITH_BOUNDS: &str = "unit-bounds";

/// How far a run of the workflow came.
pub(super) enum Recognised {
    All,
    /// All units before this one, in as much history as a run may have.
    UpTo(u32),
}

/// Recognises the units, those from an earlier run's end on where there was one. `prepared` is filled as soon as it is
/// known, and also where this fails later.
pub(super) async fn recognise<W: AsRef<JobState> + AsMut<JobState>>(
    ctx: &WorkflowContext<W>,
    speech: &SpeechOptions,
    continued: Option<&Continued>,
    group: &WorkflowCancellationToken,
    prepared: &mut Option<Prepared>,
) -> Result<(Prepared, Recognised), Stopped> {
    loop {
        wait(ctx, group, |segmentation| segmentation.units > 0 || segmentation.is_complete).await?;
        let folder = ctx.state(|workflow| workflow.as_ref().segmentation.folder.clone());
        let settled = match continued {
            Some(continued) => continued.prepared.clone(),
            None => {
                enter(ctx, Stage::Prepare);
                prepare(ctx, folder.clone(), speech, group).await?
            }
        };
        let settled = prepared.insert(settled).clone();
        enter(ctx, Stage::Transcribe);
        let run = continued.map(|continued| continued.first_run.clone());
        let units = Units { ctx, group, folder, prepared: settled, run };
        let recognised = units.recognise_from(continued.map_or(0, |continued| continued.next_unit)).await?;
        // Another attempt at ingestion may have found other bytes; then those are recognised.
        if ctx.state(|workflow| workflow.as_ref().segmentation.folder == units.folder) {
            return Ok((units.prepared, recognised));
        }
    }
}

async fn prepare<W: AsMut<JobState>>(
    ctx: &WorkflowContext<W>,
    folder: String,
    speech: &SpeechOptions,
    group: &WorkflowCancellationToken,
) -> Result<Prepared, Stopped> {
    let input = PrepareInput { folder, speech: speech.clone() };
    let prepared = call::<Prepare, _>(ctx, input, UNIT_LIMIT, group.clone()).await;
    let prepared = prepared.map_err(|error| Stopped::at::<Prepare>("transcribe", &error));
    let prepared = cancelling_others(prepared, group)?;
    ctx.state_mut(|workflow| {
        workflow.as_mut().progress.decode_config_hash.clone_from(&prepared.decode_config_hash);
    });
    Ok(prepared)
}

/// The units of one folder.
struct Units<'a, W> {
    ctx: &'a WorkflowContext<W>,
    group: &'a WorkflowCancellationToken,
    folder: String,
    prepared: Prepared,
    /// The job's first run where this is a later one.
    run: Option<String>,
}

/// A unit that was handed out.
struct RunningUnit<'a> {
    unit: u32,
    outcome: LocalBoxFuture<'a, Result<(), Stopped>>,
}

impl<W: AsRef<JobState> + AsMut<JobState>> Units<'_, W> {
    /// Carries out what the scheduler says until it is done.
    async fn recognise_from(&self, first: u32) -> Result<Recognised, Stopped> {
        let mut scheduler = UnitScheduler::new(first);
        let mut running = Vec::new();
        let mut supply = Some(self.supply(first));
        loop {
            for command in scheduler.step(next_event(&mut running, &mut supply).await) {
                match command {
                    Command::StartUnit(unit) => {
                        running.push(RunningUnit { unit, outcome: Box::pin(self.recognise(unit)) });
                    }
                    Command::StartHeadStart => supply = Some(self.head_start()),
                    Command::AwaitUnits { known } => supply = Some(self.supply(known)),
                    Command::GoOnFrom(unit) => return Ok(Recognised::UpTo(unit)),
                    Command::Finish(outcome) => return outcome.map(|()| Recognised::All),
                }
            }
        }
    }

    /// Comes when more than `known` units are there, or no more come.
    fn supply(&self, known: u32) -> LocalBoxFuture<'_, Event> {
        let is_news = move |segmentation: &Segmentation| {
            segmentation.is_complete || segmentation.units > known || segmentation.folder != self.folder
        };
        Box::pin(async move {
            if let Err(stopped) = wait(self.ctx, self.group, is_news).await {
                return Event::SegmentationEnded(Err(stopped));
            }
            let units = self.ctx.state(|workflow| {
                let segmentation = &workflow.as_ref().segmentation;
                (segmentation.folder == self.folder && segmentation.units > known).then_some(segmentation.units)
            });
            match units {
                Some(units) => {
                    let head_start = known == 0 && units > 1 && self.ctx.patched(WITH_HEAD_START);
                    Event::UnitsAvailable { units, head_start, bounds: self.bounds(units) }
                }
                None => Event::SegmentationEnded(Ok(())),
            }
        })
    }

    fn bounds(&self, units: u32) -> Bounds {
        let input = serde_json::to_vec(&self.input(units)).unwrap_or_default();
        let bounds = Bounds::of_inputs(input.len());
        if units > bounds.window && self.ctx.patched(WITH_BOUNDS) { bounds } else { Bounds::NONE }
    }

    fn input(&self, unit: u32) -> UnitInput {
        UnitInput { folder: self.folder.clone(), unit, prepared: self.prepared.clone(), run: self.run.clone() }
    }

    fn head_start(&self) -> LocalBoxFuture<'_, Event> {
        Box::pin(async {
            // A cancelled job's timer ends at once, and so do the units that are handed out then.
            self.ctx.timer(HEAD_START).await;
            Event::HeadStartOver
        })
    }

    async fn recognise(&self, unit: u32) -> Result<(), Stopped> {
        let done = call::<TranscribeUnit, _>(self.ctx, self.input(unit), UNIT_LIMIT, self.group.clone()).await;
        let done = done.map_err(|error| Stopped::at::<TranscribeUnit>("transcribe", &error));
        let done = cancelling_others(done, self.group)?;
        self.ctx.state_mut(|workflow| workflow.as_mut().progress.chunks_done += done.chunks);
        Ok(())
    }
}

/// Whichever comes first. Units are asked before the supply, in the order in which they were handed out: that order is
/// the one of the commands in histories.
async fn next_event(running: &mut Vec<RunningUnit<'_>>, supply: &mut Option<LocalBoxFuture<'_, Event>>) -> Event {
    poll_fn(|context| {
        for position in 0..running.len() {
            if let Poll::Ready(outcome) = running[position].outcome.as_mut().poll(context) {
                let RunningUnit { unit, .. } = running.remove(position);
                return Poll::Ready(Event::UnitEnded { unit, outcome });
            }
        }
        let Some(event) = supply.as_mut().map(|event| event.as_mut().poll(context)) else { return Poll::Pending };
        if event.is_ready() {
            *supply = None;
        }
        event
    })
    .await
}

async fn wait<W: AsRef<JobState>>(
    ctx: &WorkflowContext<W>,
    group: &WorkflowCancellationToken,
    mut until: impl FnMut(&Segmentation) -> bool,
) -> Result<(), Stopped> {
    let options = WaitConditionOptions::builder().cancellation_token(group.clone()).build();
    let waited = ctx.wait_condition_with_options(|workflow| until(&workflow.as_ref().segmentation), options).await;
    waited.map_err(|_| Stopped::Cancelled)
}
