//! The recognition of a recording, which begins when its first work unit is in the store and ends with its last:
//! ingestion may still be at work on what comes behind.

use std::{cmp::max, pin::Pin, time::Duration};

use temporalio_sdk::{
    WaitConditionOptions, WorkflowCancellationToken, WorkflowContext,
    workflows::{join, join_all},
};

use super::{
    Stopped, call,
    transcribe::{TranscribeWorkflow, enter},
};
use crate::{
    job::SpeechOptions,
    temporal::{
        contracts::{CutSoFar, Ingested, Prepare, PrepareInput, Prepared, TranscribeUnit, UnitInput},
        progress::{Stage, WorkflowProgress},
    },
};

/// A work unit with the largest model on a small machine.
const UNIT_LIMIT: Duration = Duration::from_secs(4 * 3600);

/// How long a recording's first unit is ahead of the others. Workers take what reaches the server first, and of what
/// is handed out together that can be any.
const HEAD_START: Duration = Duration::from_millis(1);

/// Tells jobs that give their first unit a head start from those that were begun before that was done.
const WITH_HEAD_START: &str = "head-start";

/// The units that are in the store.
#[derive(Debug, Default)]
pub(super) struct Cut {
    folder: String,
    units: u32,
    chunks: u32,
    /// No more will come.
    is_complete: bool,
}

impl Cut {
    /// Of two attempts the later one counts, which may have found other bytes behind an address.
    pub(super) fn extend(&mut self, told: CutSoFar) {
        if self.is_complete {
            return;
        }
        let CutSoFar { folder, units, chunks } = told;
        if self.folder == folder {
            (self.units, self.chunks) = (max(self.units, units), max(self.chunks, chunks));
        } else {
            *self = Self { folder, units, chunks, is_complete: false };
        }
    }

    pub(super) fn complete(&mut self, ingested: &Ingested) {
        let Ingested { folder, units, chunks, .. } = ingested;
        *self = Self { folder: folder.clone(), units: *units, chunks: *chunks, is_complete: true };
    }

    pub(super) fn show(&self, progress: &mut WorkflowProgress) {
        if progress.folder != self.folder {
            progress.chunks_done = 0;
        }
        progress.folder.clone_from(&self.folder);
        progress.chunks_total = self.chunks;
    }
}

/// Recognises all units. `prepared` is filled as soon as it is known, and also where this fails later.
pub(super) async fn recognise(
    ctx: &WorkflowContext<TranscribeWorkflow>,
    speech: &SpeechOptions,
    group: &WorkflowCancellationToken,
    prepared: &mut Option<Prepared>,
) -> Result<Prepared, Stopped> {
    loop {
        wait(ctx, group, |cut| cut.units > 0 || cut.is_complete).await?;
        let folder = ctx.state(|workflow| workflow.cut.folder.clone());
        enter(ctx, Stage::Prepare);
        let input = PrepareInput { folder: folder.clone(), speech: speech.clone() };
        let settled = call::<Prepare, _>(ctx, input, UNIT_LIMIT, group.clone()).await;
        let settled = settled.map_err(|error| Stopped::at::<Prepare>("transcribe", &error));
        let settled = prepared.insert(ending_others(settled, group)?).clone();
        ctx.state_mut(|workflow| workflow.progress.recipe.clone_from(&settled.recipe));
        enter(ctx, Stage::Transcribe);
        let units = Units { ctx, group, folder, prepared: settled };
        units.recognise_from(0).await?;
        if ctx.state(|workflow| workflow.cut.folder == units.folder) {
            return Ok(units.prepared);
        }
    }
}

/// The units of one folder.
struct Units<'a> {
    ctx: &'a WorkflowContext<TranscribeWorkflow>,
    group: &'a WorkflowCancellationToken,
    folder: String,
    prepared: Prepared,
}

type Outcome<'a> = Pin<Box<dyn Future<Output = Result<(), Stopped>> + 'a>>;

impl Units<'_> {
    /// Hands out the units from `first` on, as they get into the store.
    fn recognise_from(&self, first: u32) -> Outcome<'_> {
        Box::pin(async move {
            let Some(known) = self.behind(first).await? else { return Ok(()) };
            let goes_ahead = first == 0 && known > 1 && self.ctx.patched(WITH_HEAD_START);
            let end = if goes_ahead { 1 } else { known };
            let units = join_all((first..end).map(|unit| Box::pin(self.recognise(unit))));
            let others = async {
                if goes_ahead {
                    // A cancelled job's timer ends at once, and so do the units that are handed out then.
                    self.ctx.timer(HEAD_START).await;
                }
                self.recognise_from(end).await
            };
            let (outcomes, others) = join!(units, others);
            worst(outcomes.into_iter().chain([others]))
        })
    }

    /// Waits for units behind the first `known` ones, and gives how many there are in all; None where no more come.
    async fn behind(&self, known: u32) -> Result<Option<u32>, Stopped> {
        wait(self.ctx, self.group, |cut| cut.is_complete || cut.units > known || cut.folder != self.folder).await?;
        Ok(self.ctx.state(|workflow| {
            let cut = &workflow.cut;
            (cut.folder == self.folder && cut.units > known).then_some(cut.units)
        }))
    }

    async fn recognise(&self, unit: u32) -> Result<(), Stopped> {
        let input = UnitInput { folder: self.folder.clone(), unit, prepared: self.prepared.clone() };
        let done = call::<TranscribeUnit, _>(self.ctx, input, UNIT_LIMIT, self.group.clone()).await;
        let done = done.map_err(|error| Stopped::at::<TranscribeUnit>("transcribe", &error));
        let done = ending_others(done, self.group)?;
        self.ctx.state_mut(|workflow| workflow.progress.chunks_done += done.chunks);
        Ok(())
    }
}

async fn wait(
    ctx: &WorkflowContext<TranscribeWorkflow>,
    group: &WorkflowCancellationToken,
    mut until: impl FnMut(&Cut) -> bool,
) -> Result<(), Stopped> {
    let options = WaitConditionOptions::builder().cancellation_token(group.clone()).build();
    let waited = ctx.wait_condition_with_options(|workflow| until(&workflow.cut), options).await;
    waited.map_err(|_| Stopped::Cancelled)
}

/// Where a part of the job fails, the others are called back.
pub(super) fn ending_others<T>(outcome: Result<T, Stopped>, group: &WorkflowCancellationToken) -> Result<T, Stopped> {
    if matches!(outcome, Err(Stopped::Failed(_))) {
        group.cancel_with_reason("another part of the job failed");
    }
    outcome
}

/// What was called back says "cancelled"; the failure behind it is what the user needs.
fn worst(outcomes: impl IntoIterator<Item = Result<(), Stopped>>) -> Result<(), Stopped> {
    let ends: Vec<_> = outcomes.into_iter().filter_map(Result::err).collect();
    let failure = ends.iter().find(|end| matches!(end, Stopped::Failed(_)));
    failure.or(ends.first()).cloned().map_or(Ok(()), Err)
}

/// Both outcomes, or the worse one.
pub(super) fn both<A, B>(left: Result<A, Stopped>, right: Result<B, Stopped>) -> Result<(A, B), Stopped> {
    match (left, right) {
        (Ok(left), Ok(right)) => Ok((left, right)),
        (left, right) => Err(worst([left.map(drop), right.map(drop)]).err().unwrap_or(Stopped::Cancelled)),
    }
}
