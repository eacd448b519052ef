//! LLM tasks again, on a transcript that is there already.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::{WorkflowContext, WorkflowContextView, WorkflowResult, WorkflowTermination};

use super::{
    activity_calls::call,
    input::{failed, parse},
    stopped::Stopped,
};
use crate::{
    llm::{LlmTask, LlmUsage},
    result::JobStatus,
    temporal::{
        contracts::{Amend, Amendment, LlmInput, RunLlmTask},
        progress::{Stage, WorkflowProgress},
    },
};

const LLM_LIMIT: Duration = Duration::from_secs(2 * 3600);
const AMEND_LIMIT: Duration = Duration::from_secs(600);

/// The input of the `llm` workflow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LlmRequest {
    /// The finished job whose transcript is asked about.
    pub job_id: String,
    pub task: LlmTask,
}

#[workflow]
#[derive(Default)]
pub struct LlmWorkflow {
    progress: WorkflowProgress,
}

#[workflow_methods]
impl LlmWorkflow {
    /// Returns the job's status with the new answer in its result.
    #[run(name = "llm")]
    pub async fn run(ctx: &mut WorkflowContext<Self>, input: serde_json::Value) -> WorkflowResult<JobStatus> {
        let LlmRequest { job_id, task } = parse(input)?;
        ctx.state_mut(|workflow| workflow.progress.stage = Stage::Llm);
        let name = task.name().to_owned();
        // The run is the one of the job's result, which the activity reads.
        let input = LlmInput { job_id: job_id.clone(), run_id: String::new(), task };
        let usage = run_llm_task(ctx, input).await.map_err(terminated)?;
        ctx.state_mut(|workflow| workflow.progress.stage = Stage::Conclude);
        let amendment = Amendment { job_id, task: name, usage };
        let amended = call::<Amend, _>(ctx, amendment, AMEND_LIMIT, ctx.cancellation_token()).await;
        ctx.state_mut(|workflow| workflow.progress.stage = Stage::Done);
        amended.map_err(|error| terminated(Stopped::at::<Amend>("conclude", &error)))
    }

    #[query(name = "progress")]
    pub fn progress(&self, _ctx: &WorkflowContextView) -> WorkflowProgress {
        self.progress.clone()
    }
}

/// One task on the job's transcript.
pub(super) async fn run_llm_task<W>(ctx: &WorkflowContext<W>, input: LlmInput) -> Result<LlmUsage, Stopped> {
    let stage = format!("llm:{}", input.task.name());
    let usage = call::<RunLlmTask, _>(ctx, input, LLM_LIMIT, ctx.cancellation_token()).await;
    usage.map_err(|error| Stopped::at::<RunLlmTask>(&stage, &error))
}

fn terminated(stopped: Stopped) -> WorkflowTermination {
    match stopped {
        Stopped::Cancelled => WorkflowTermination::cancelled(),
        Stopped::Failed(failure) => failed(format!("{}: {}", failure.stage, failure.message)),
    }
}
