//! The main job: ingest, prepare, transcribe the work units in parallel, assemble, run the LLM
//! tasks in parallel, conclude.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::{
    MemoValue, WorkflowCancellationToken, WorkflowContext, WorkflowContextView, WorkflowResult, WorkflowTermination,
    workflows::{join, join_all},
};

use super::{Clock, STATUS_MEMO, Stopped, call, deliver::start_delivery, failed, parse};
use crate::{
    job::JobRequest,
    llm::LlmTask,
    result::{JobStatus, LlmUsage, StageFailure, Timings},
    temporal::{
        contracts::{
            Assemble, AssembleInput, Assembled, Conclude, Conclusion, Ingest, IngestInput, Ingested, LlmInput, Prepare,
            PrepareInput, Prepared, RunLlmTask, TranscribeUnit, UnitInput,
        },
        progress::{Stage, WorkflowProgress},
    },
    webhook::Webhook,
};

/// A large recording over a slow line.
const INGEST_LIMIT: Duration = Duration::from_secs(12 * 3600);
/// A work unit with the largest model on a small machine.
const UNIT_LIMIT: Duration = Duration::from_secs(4 * 3600);
const LLM_LIMIT: Duration = Duration::from_secs(2 * 3600);
/// Everything that only moves data.
const SHORT_LIMIT: Duration = Duration::from_secs(600);

/// How long a recording's first unit is ahead of the others. A worker that waits takes what reaches the server first,
/// and of what is handed out together that can be any.
const HEAD_START: Duration = Duration::from_millis(1);

/// Tells jobs that give their first unit a head start from those that were begun before that was done.
const WITH_HEAD_START: &str = "head-start";

/// What the workflow returns: the result itself lies in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobOutcome {
    pub status: JobStatus,
    pub errors: Vec<StageFailure>,
}

#[workflow]
#[derive(Default)]
pub struct TranscribeWorkflow {
    progress: WorkflowProgress,
}

#[workflow_methods]
impl TranscribeWorkflow {
    #[run(name = "transcribe")]
    pub async fn run(ctx: &mut WorkflowContext<Self>, input: serde_json::Value) -> WorkflowResult<JobOutcome> {
        let request: JobRequest = parse(input)?;
        refuse_duplicate_tasks(&request.llm)?;
        let mut clock = Clock::start(ctx);
        let mut conclusion = Conclusion {
            job_id: ctx.workflow_id().to_owned(),
            status: JobStatus::Running,
            errors: Vec::new(),
            timings: Timings { queue_s: clock.lap(ctx), ..Timings::default() },
            ingested: None,
            prepared: None,
            assembled: None,
            llm: BTreeMap::new(),
        };
        conclusion.status = match stages(ctx, &request, &mut clock, &mut conclusion).await {
            Ok(()) if conclusion.errors.is_empty() => JobStatus::Completed,
            Ok(()) => JobStatus::CompletedWithErrors,
            Err(Stopped::Cancelled) => JobStatus::Cancelled,
            Err(Stopped::Failed(failure)) => {
                conclusion.errors.push(failure);
                JobStatus::Failed
            }
        };
        conclusion.timings.wall_s = clock.total(ctx);
        conclude(ctx, conclusion, request.webhook).await
    }

    #[query(name = "progress")]
    pub fn progress(&self, _ctx: &WorkflowContextView) -> WorkflowProgress {
        self.progress.clone()
    }
}

/// Two tasks of one name would overwrite each other's answer.
fn refuse_duplicate_tasks(tasks: &[LlmTask]) -> Result<(), WorkflowTermination> {
    for (position, task) in tasks.iter().enumerate() {
        if tasks[..position].iter().any(|other| other.name() == task.name()) {
            return Err(failed(format!("the LLM task {:?} is asked for twice; ask once", task.name())));
        }
    }
    Ok(())
}

async fn stages(
    ctx: &WorkflowContext<TranscribeWorkflow>,
    request: &JobRequest,
    clock: &mut Clock,
    made: &mut Conclusion,
) -> Result<(), Stopped> {
    enter(ctx, Stage::Ingest);
    let input = IngestInput { source: request.source.clone() };
    let ingested = call::<Ingest, _>(ctx, input, INGEST_LIMIT, ctx.cancellation_token()).await;
    made.timings.ingest_s = clock.lap(ctx);
    let ingested = made.ingested.insert(ingested.map_err(|error| Stopped::at::<Ingest>("ingest", &error))?).clone();
    ctx.state_mut(|workflow| {
        workflow.progress.chunks_total = ingested.chunks;
        workflow.progress.duration_s = ingested.duration_s;
        workflow.progress.folder.clone_from(&ingested.folder);
    });

    enter(ctx, Stage::Prepare);
    let transcribed = async {
        let input =
            PrepareInput { folder: ingested.folder.clone(), units: ingested.units, speech: request.speech.clone() };
        let prepared = call::<Prepare, _>(ctx, input, UNIT_LIMIT, ctx.cancellation_token()).await;
        let prepared = made.prepared.insert(prepared.map_err(|error| Stopped::at::<Prepare>("transcribe", &error))?);
        ctx.state_mut(|workflow| workflow.progress.recipe.clone_from(&prepared.recipe));
        enter(ctx, Stage::Transcribe);
        transcribe_units(ctx, &ingested, prepared).await
    };
    let transcribed = transcribed.await;
    made.timings.transcribe_s = clock.lap(ctx);
    transcribed?;

    enter(ctx, Stage::Assemble);
    made.assembled = Some(assemble(ctx, &ingested, made.prepared.as_ref()).await?);
    clock.lap(ctx);

    if !request.llm.is_empty() {
        enter(ctx, Stage::Llm);
        run_llm_tasks(ctx, &request.llm, made).await?;
        made.timings.llm_s = clock.lap(ctx);
    }
    Ok(())
}

/// Hands out the first unit and then all others; the first failure calls the rest back.
async fn transcribe_units(
    ctx: &WorkflowContext<TranscribeWorkflow>,
    ingested: &Ingested,
    prepared: &Prepared,
) -> Result<(), Stopped> {
    let group = ctx.cancellation_token().child_token();
    let transcribe = |unit| {
        let input = UnitInput { folder: ingested.folder.clone(), unit, prepared: prepared.clone() };
        Box::pin(transcribe_unit(ctx, input, group.clone()))
    };
    let outcomes = if ingested.units > 1 && ctx.patched(WITH_HEAD_START) {
        let others = async {
            // A cancelled job's timer ends at once, and so do the units that are handed out then.
            ctx.timer(HEAD_START).await;
            join_all((1..ingested.units).map(transcribe)).await
        };
        let (first, others) = join!(transcribe(0), others);
        [vec![first], others].concat()
    } else {
        join_all((0..ingested.units).map(transcribe)).await
    };
    // A unit that was called back says "cancelled"; the failure behind it is what the user needs.
    let failure = outcomes.iter().find(|outcome| matches!(outcome, Err(Stopped::Failed(_)))).cloned();
    failure.unwrap_or_else(|| outcomes.into_iter().collect())
}

async fn transcribe_unit(
    ctx: &WorkflowContext<TranscribeWorkflow>,
    input: UnitInput,
    group: WorkflowCancellationToken,
) -> Result<(), Stopped> {
    match call::<TranscribeUnit, _>(ctx, input, UNIT_LIMIT, group.clone()).await {
        Ok(done) => {
            ctx.state_mut(|workflow| workflow.progress.chunks_done += done.chunks);
            Ok(())
        }
        Err(error) => {
            let stopped = Stopped::at::<TranscribeUnit>("transcribe", &error);
            if matches!(stopped, Stopped::Failed(_)) {
                group.cancel_with_reason("another work unit failed");
            }
            Err(stopped)
        }
    }
}

async fn assemble(
    ctx: &WorkflowContext<TranscribeWorkflow>,
    ingested: &Ingested,
    prepared: Option<&Prepared>,
) -> Result<Assembled, Stopped> {
    let input = AssembleInput {
        job_id: ctx.workflow_id().to_owned(),
        folder: ingested.folder.clone(),
        recipe: prepared.map(|prepared| prepared.recipe.clone()).unwrap_or_default(),
        language: prepared.map(|prepared| prepared.speech.language.clone()).unwrap_or_default(),
        duration_s: ingested.duration_s,
        chunks: ingested.chunks,
    };
    let assembled = call::<Assemble, _>(ctx, input, SHORT_LIMIT, ctx.cancellation_token()).await;
    assembled.map_err(|error| Stopped::at::<Assemble>("assemble", &error))
}

/// Runs all tasks in parallel. A failed task is noted and costs nothing but its own answer.
async fn run_llm_tasks(
    ctx: &WorkflowContext<TranscribeWorkflow>,
    tasks: &[LlmTask],
    made: &mut Conclusion,
) -> Result<(), Stopped> {
    let job_id = ctx.workflow_id();
    let calls = tasks.iter().map(|task| {
        let input = LlmInput { job_id: job_id.to_owned(), task: task.clone() };
        Box::pin(async move { (task.name(), run_llm_task(ctx, input).await) })
    });
    for (name, outcome) in join_all(calls).await {
        match outcome {
            Ok(usage) => {
                made.llm.insert(name.to_owned(), usage);
            }
            Err(Stopped::Failed(failure)) => made.errors.push(failure),
            Err(Stopped::Cancelled) => return Err(Stopped::Cancelled),
        }
    }
    Ok(())
}

/// One task on the job's transcript.
pub(super) async fn run_llm_task<W>(ctx: &WorkflowContext<W>, input: LlmInput) -> Result<LlmUsage, Stopped> {
    let stage = format!("llm:{}", input.task.name());
    let usage = call::<RunLlmTask, _>(ctx, input, LLM_LIMIT, ctx.cancellation_token()).await;
    usage.map_err(|error| Stopped::at::<RunLlmTask>(&stage, &error))
}

/// Writes the result, whatever the end was, and ends the workflow with the same end.
async fn conclude(
    ctx: &WorkflowContext<TranscribeWorkflow>,
    conclusion: Conclusion,
    webhook: Option<Webhook>,
) -> WorkflowResult<JobOutcome> {
    enter(ctx, Stage::Conclude);
    let outcome = JobOutcome { status: conclusion.status, errors: conclusion.errors.clone() };
    // A token of its own: a cancelled job gets its result, too.
    let written = call::<Conclude, _>(ctx, conclusion, SHORT_LIMIT, WorkflowCancellationToken::new()).await;
    if let Some(webhook) = webhook {
        start_delivery(ctx, webhook, outcome.status).await;
    }
    enter(ctx, Stage::Done);
    match (outcome.status, outcome.errors.first()) {
        (JobStatus::Cancelled, _) => Err(WorkflowTermination::cancelled()),
        (JobStatus::Failed, Some(failure)) => Err(failed(format!("{}: {}", failure.stage, failure.message))),
        _ => {
            written.map_err(|error| match Stopped::at::<Conclude>("conclude", &error) {
                Stopped::Failed(failure) => failed(format!("{}: {}", failure.stage, failure.message)),
                Stopped::Cancelled => WorkflowTermination::cancelled(),
            })?;
            if outcome.status == JobStatus::CompletedWithErrors {
                ctx.upsert_memo([(STATUS_MEMO, Some(MemoValue::new(outcome.status)))])?;
            }
            Ok(outcome)
        }
    }
}

fn enter(ctx: &WorkflowContext<TranscribeWorkflow>, stage: Stage) {
    ctx.state_mut(|workflow| workflow.progress.stage = stage);
}
