//! Why a job did not reach its next stage, and which of several reasons counts.

use temporalio_common::error::{ActivityExecutionError, IncomingError};
use temporalio_sdk::WorkflowCancellationToken;

use crate::{result::StageFailure, temporal::contracts::Contract};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stopped {
    Cancelled,
    Failed(StageFailure),
}

impl Stopped {
    pub(super) fn at<C: Contract>(stage: &str, error: &ActivityExecutionError) -> Self {
        if error.as_cancelled().is_some() {
            return Self::Cancelled;
        }
        let message = match error.reason() {
            Some(IncomingError::Application(failure)) => failure.to_string(),
            Some(IncomingError::Timeout(_)) => format!(
                "no worker finished it: each of {} attempts was lost or took too long; look at the workers' logs",
                C::ATTEMPTS
            ),
            _ => error.to_string(),
        };
        Self::Failed(StageFailure { stage: stage.to_owned(), message })
    }
}

/// Where a part of the job fails, the others are cancelled.
pub(super) fn cancelling_others<T>(
    outcome: Result<T, Stopped>,
    group: &WorkflowCancellationToken,
) -> Result<T, Stopped> {
    if matches!(outcome, Err(Stopped::Failed(_))) {
        group.cancel_with_reason("another part of the job failed");
    }
    outcome
}

/// Both outcomes, or the failure: what was cancelled because of it does not interest the user.
pub(super) fn both<A, B>(left: Result<A, Stopped>, right: Result<B, Stopped>) -> Result<(A, B), Stopped> {
    match (left, right) {
        (Ok(left), Ok(right)) => Ok((left, right)),
        (Err(Stopped::Failed(failure)), _) | (_, Err(Stopped::Failed(failure))) => Err(Stopped::Failed(failure)),
        (Err(Stopped::Cancelled), _) | (_, Err(Stopped::Cancelled)) => Err(Stopped::Cancelled),
    }
}
