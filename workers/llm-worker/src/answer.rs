//! The worker's one job: a task and a transcript in, an answer with its cost out.

use engine::{
    error::StageError,
    llm::{LlmAnswer, LlmTask},
    transcript::Transcript,
};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::{
    calls::{Calls, Progress},
    notes::Notes,
    provider::Model,
    tasks,
};

/// Runs one task. `progress` is told of every call to the model, before the first and after each.
///
/// A transcript without text gets an empty answer, and the model is not called. What the model has said is kept in
/// `notes` until the answer is in the store, and not asked for again.
///
/// # Errors
/// Bad input for a question or schema that can never work and for answers that twice miss the
/// schema; setup where a key, model or window is wrong; transient where the model cannot be
/// reached or is overloaded; cancelled soon after the token is.
pub async fn answer(
    model: &Model,
    transcript: &Transcript,
    task: &LlmTask,
    notes: &Notes,
    cancelled: &CancellationToken,
    progress: impl Fn(Progress) + Send + Sync,
) -> Result<LlmAnswer, StageError> {
    let mut calls = Calls::new(model, notes, &progress);
    // Whatever is under way is given up with its future: a call, a wait before the next try, the counting of tokens.
    let output = cancelled.run_until_cancelled(run(&mut calls, transcript, task)).await;
    let output = output.ok_or_else(StageError::cancelled)??;
    Ok(LlmAnswer { output, usage: calls.usage(), run_id: transcript.run_id.clone() })
}

async fn run(calls: &mut Calls<'_>, transcript: &Transcript, task: &LlmTask) -> Result<Value, StageError> {
    match task {
        LlmTask::Summary => tasks::summary::run(calls, transcript).await,
        LlmTask::Chapters => tasks::chapters::run(calls, transcript).await,
        LlmTask::Actions => tasks::actions::run(calls, transcript).await,
        LlmTask::Ask(question) => tasks::ask::run(calls, transcript, question).await,
    }
}
