//! Sweeps the store, and has jobs purged whose time is over. A schedule of the server starts it; `longhand store sweep`
//! does, too.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use temporalio_common::data_converters::TemporalDeserializable;
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::{WorkflowContext, WorkflowResult, WorkflowTermination};

use super::{
    activity_calls::call,
    input::{failed, parse},
    stopped::Stopped,
};
use crate::temporal::contracts::{Contract, Retain, RetainInput, Retained, Sweep, SweepInput, SweepReport};

/// Bounds an attempt: all of the store is listed.
const LIMIT: Duration = Duration::from_secs(12 * 3600);

/// The input of the `housekeeping` workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HousekeepingRequest {
    /// Seconds for which something that nobody refers to has to lie about untouched.
    pub min_age_s: u64,
    /// Whether jobs go whose time is over, as the worker's settings say.
    pub retain: bool,
    /// Who wants it, for the audit log.
    pub asked_by: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HousekeepingReport {
    pub swept: SweepReport,
    pub retained: Retained,
}

#[workflow]
#[derive(Default)]
pub struct HousekeepingWorkflow;

#[workflow_methods]
impl HousekeepingWorkflow {
    #[run(name = "housekeeping")]
    pub async fn run(ctx: &mut WorkflowContext<Self>, input: serde_json::Value) -> WorkflowResult<HousekeepingReport> {
        let HousekeepingRequest { min_age_s, retain, asked_by } = parse(input)?;
        let retained = if retain { run::<Retain>(ctx, RetainInput {}).await? } else { Retained::default() };
        let swept = run::<Sweep>(ctx, SweepInput { min_age_s, asked_by }).await?;
        Ok(HousekeepingReport { swept, retained })
    }
}

async fn run<C: Contract>(
    ctx: &WorkflowContext<HousekeepingWorkflow>,
    input: C::Input,
) -> Result<C::Output, WorkflowTermination>
where
    C::Output: TemporalDeserializable,
{
    let done = call::<C, _>(ctx, input, LIMIT, ctx.cancellation_token()).await;
    done.map_err(|error| match Stopped::at::<C>(C::NAME, &error) {
        Stopped::Failed(failure) => failed(failure.message),
        Stopped::Cancelled => WorkflowTermination::cancelled(),
    })
}
