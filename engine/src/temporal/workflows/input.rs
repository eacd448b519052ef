//! A workflow's input, and how a workflow refuses it.

use serde::de::DeserializeOwned;
use temporalio_common::error::ApplicationFailure;
use temporalio_sdk::WorkflowTermination;

use crate::error::FailureKind;

/// Parses in the workflow and not in the SDK: a workflow whose input the SDK cannot read would hang for ever instead of
/// failing.
pub(super) fn parse<T: DeserializeOwned>(input: serde_json::Value) -> Result<T, WorkflowTermination> {
    serde_json::from_value(input).map_err(wrong_input)
}

pub(super) fn wrong_input(error: serde_json::Error) -> WorkflowTermination {
    failed(format!("the workflow's input is wrong: {error}"))
}

/// An end that is not tried again.
pub(super) fn failed(message: String) -> WorkflowTermination {
    let failure = ApplicationFailure::builder(message).type_name(format!("{:?}", FailureKind::BadInput));
    failure.non_retryable(true).build().into()
}
