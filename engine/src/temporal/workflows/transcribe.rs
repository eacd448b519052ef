//! The main job: ingest, and recognise what is ingested already; assemble, run the LLM tasks in
//! parallel, conclude.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::{
    MemoValue, SyncWorkflowContext, WorkflowCancellationToken, WorkflowContext, WorkflowContextView, WorkflowResult,
    WorkflowTermination,
    workflows::{join, join_all},
};

use super::{
    activity_calls::{call, call_local},
    clock::Clock,
    continued::{Continued, JobInput},
    deliver::start_delivery,
    input::{failed, wrong_input},
    job_state::{JobState, enter},
    llm::run_llm_task,
    next_run::next_run_of,
    recognise::{Recognised, recognise},
    stopped::{Stopped, both, cancelling_others},
};
use crate::{
    job::{JobRequest, Source, Webhook},
    llm::LlmTask,
    result::{JobStatus, StageFailure, Timings},
    temporal::{
        contracts::{
            Assemble, AssembleInput, Assembled, Conclude, Conclusion, Ingest, IngestInput, Ingested, LlmInput,
            Prepared, SegmentationProgress,
        },
        progress::{Stage, WorkflowProgress},
    },
};

/// A large recording over a slow line.
const INGEST_LIMIT: Duration = Duration::from_secs(12 * 3600);

/// Names the memo entry that tells `completed_with_errors` from `completed` in listings.
pub(crate) const STATUS_MEMO: &str = "status";

/// What the workflow returns: the result itself lies in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobOutcome {
    pub status: JobStatus,
    pub errors: Vec<StageFailure>,
}

#[workflow]
#[derive(Default)]
pub struct TranscribeWorkflow {
    state: JobState,
}

impl AsRef<JobState> for TranscribeWorkflow {
    fn as_ref(&self) -> &JobState {
        &self.state
    }
}

impl AsMut<JobState> for TranscribeWorkflow {
    fn as_mut(&mut self) -> &mut JobState {
        &mut self.state
    }
}

#[workflow_methods]
impl TranscribeWorkflow {
    #[run(name = "transcribe")]
    pub async fn run(ctx: &mut WorkflowContext<Self>, input: serde_json::Value) -> WorkflowResult<JobOutcome> {
        let JobInput { request, continued } = JobInput::parse(input).map_err(wrong_input)?;
        refuse_duplicate_tasks(&request.llm)?;
        let mut clock = continued.as_ref().map_or_else(|| Clock::start(ctx), |continued| continued.clock.clone());
        let timings = match &continued {
            Some(continued) => continued.timings,
            None => Timings { queue_s: clock.lap(ctx), ..Timings::default() },
        };
        let mut conclusion = Conclusion {
            job_id: ctx.workflow_id().to_owned(),
            run_id: continued.as_ref().map_or_else(|| ctx.run_id().to_owned(), |continued| continued.first_run.clone()),
            status: JobStatus::Running,
            errors: Vec::new(),
            timings,
            folder: String::new(),
            ingested: None,
            prepared: None,
            assembled: None,
            llm: BTreeMap::new(),
        };
        conclusion.status = match stages(ctx, &request, continued.as_ref(), &mut clock, &mut conclusion).await {
            Ok(Reached::NextRun(done)) => {
                let rest = JobInput::continued(request, *done).map_err(wrong_input)?;
                match ctx.continue_as_new(rest, next_run_of(clock.started()))? {}
            }
            Ok(Reached::End) if conclusion.errors.is_empty() => JobStatus::Completed,
            Ok(Reached::End) => JobStatus::CompletedWithErrors,
            Err(Stopped::Cancelled) => JobStatus::Cancelled,
            Err(Stopped::Failed(failure)) => {
                conclusion.errors.push(failure);
                JobStatus::Failed
            }
        };
        conclusion.timings.wall_s = clock.total(ctx);
        conclusion.folder = ctx.state(|workflow| workflow.state.segmentation.folder.clone());
        conclude(ctx, conclusion, request.webhook).await
    }

    /// The ingest activity tells of units that can be recognised while it goes on.
    #[signal(name = "cut")]
    pub fn segmented(&mut self, _ctx: &mut SyncWorkflowContext<Self>, reported: SegmentationProgress) {
        self.state.extend(reported);
    }

    #[query(name = "progress")]
    pub fn progress(&self, _ctx: &WorkflowContextView) -> WorkflowProgress {
        self.state.progress.clone()
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

/// Where the stages end, of a job that goes well.
enum Reached {
    End,
    /// The rest is for the next run of the workflow.
    NextRun(Box<Continued>),
}

async fn stages(
    ctx: &WorkflowContext<TranscribeWorkflow>,
    request: &JobRequest,
    continued: Option<&Continued>,
    clock: &mut Clock,
    made: &mut Conclusion,
) -> Result<Reached, Stopped> {
    let group = ctx.cancellation_token().child_token();
    let ingesting = async {
        if let Some(continued) = continued {
            ctx.state_mut(|workflow| workflow.state.resume(continued));
            return Ok(continued.ingested.clone());
        }
        let ingested = ingest(ctx, &request.source, &group).await;
        made.timings.ingest_s = clock.lap(ctx);
        ingested
    };
    let recognising = recognise(ctx, &request.speech, continued, &group, &mut made.prepared);
    let (ingested, recognised) = join!(ingesting, recognising);
    made.timings.transcribe_s += clock.lap(ctx);
    made.ingested = ingested.as_ref().ok().cloned();
    let (ingested, (prepared, recognised)) = both(ingested, recognised)?;
    let first_run = continued.map(|continued| continued.first_run.clone());
    if let Recognised::UpTo(next_unit) = recognised {
        // The next run would not know that it is to be cancelled.
        if group.is_cancelled() {
            return Err(Stopped::Cancelled);
        }
        return Ok(Reached::NextRun(Box::new(Continued {
            first_run: first_run.unwrap_or_else(|| ctx.run_id().to_owned()),
            clock: clock.clone(),
            timings: made.timings,
            ingested,
            prepared,
            next_unit,
            chunks_done: ctx.state(|workflow| workflow.state.progress.chunks_done),
        })));
    }

    enter(ctx, Stage::Assemble);
    made.assembled = Some(assemble(ctx, &ingested, &prepared, first_run).await?);
    clock.lap(ctx);

    if !request.llm.is_empty() {
        enter(ctx, Stage::Llm);
        run_llm_tasks(ctx, &request.llm, made).await?;
        made.timings.llm_s = clock.lap(ctx);
    }
    Ok(Reached::End)
}

async fn ingest(
    ctx: &WorkflowContext<TranscribeWorkflow>,
    source: &Source,
    group: &WorkflowCancellationToken,
) -> Result<Ingested, Stopped> {
    enter(ctx, Stage::Ingest);
    let input = IngestInput { source: source.clone() };
    let ingested = call::<Ingest, _>(ctx, input, INGEST_LIMIT, group.clone()).await;
    let ingested = ingested.map_err(|error| Stopped::at::<Ingest>("ingest", &error));
    let ingested = cancelling_others(ingested, group)?;
    ctx.state_mut(|workflow| workflow.state.complete(&ingested));
    Ok(ingested)
}

async fn assemble(
    ctx: &WorkflowContext<TranscribeWorkflow>,
    ingested: &Ingested,
    prepared: &Prepared,
    run: Option<String>,
) -> Result<Assembled, Stopped> {
    let input = AssembleInput {
        job_id: ctx.workflow_id().to_owned(),
        folder: ingested.folder.clone(),
        decode_config_hash: prepared.decode_config_hash.clone(),
        language: prepared.speech.language.clone(),
        duration_s: ingested.duration_s,
        chunks: ingested.chunks,
        run,
    };
    let assembled = call_local::<Assemble, _>(ctx, input, ctx.cancellation_token()).await;
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
        let input = LlmInput { job_id: job_id.to_owned(), run_id: made.run_id.clone(), task: task.clone() };
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

/// Writes the result, whatever the end was, and ends the workflow with the same end.
async fn conclude(
    ctx: &WorkflowContext<TranscribeWorkflow>,
    conclusion: Conclusion,
    webhook: Option<Webhook>,
) -> WorkflowResult<JobOutcome> {
    enter(ctx, Stage::Conclude);
    let outcome = JobOutcome { status: conclusion.status, errors: conclusion.errors.clone() };
    // A token of its own: a cancelled job gets its result, too.
    let written = call_local::<Conclude, _>(ctx, conclusion, WorkflowCancellationToken::new()).await;
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
