//! Jobs page by page, in the order of the server: those that run, then those that ended last.

use std::{collections::HashSet, fmt, str::FromStr};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use futures_util::TryStreamExt;
use sha2::{Digest, Sha256};
use temporalio_client::{NamespacedClient, WorkflowListOptions, tonic::IntoRequest};
use temporalio_common::protos::temporal::api::workflowservice::v1::{
    ListWorkflowExecutionsRequest, ListWorkflowExecutionsResponse,
};

use super::{Call, ClientError, Jobs, bounded, description, error::listing_failed, rpc_error};
use crate::{
    ids::{JobId, Tenant, tenant_and_name},
    result::JobStatus,
    temporal::progress::{JobKind, JobSummary},
};

/// Which jobs to list; all of them by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// Whose jobs; those of all where nobody is named.
    pub tenant: Option<Tenant>,
    pub status: Option<JobStatus>,
    pub kind: Option<JobKind>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct JobPage {
    pub jobs: Vec<JobSummary>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
}

const DIGEST_BYTES: usize = 8;

/// A place in the list: the server's own, for only it knows its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(Vec<u8>);

/// It came from no page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cursor is none that a page gave as next_cursor")]
pub struct BadCursor;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64_URL_SAFE_NO_PAD.encode([&self.0, &digest(&self.0)[..]].concat()))
    }
}

impl FromStr for Cursor {
    type Err = BadCursor;

    fn from_str(text: &str) -> Result<Self, BadCursor> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| BadCursor)?;
        let (token, found) = bytes.split_last_chunk::<DIGEST_BYTES>().ok_or(BadCursor)?;
        if *found == digest(token) { Ok(Self(token.to_vec())) } else { Err(BadCursor) }
    }
}

/// The server answers a token that it did not give as if it had failed itself.
fn digest(token: &[u8]) -> [u8; DIGEST_BYTES] {
    let mut first = [0; DIGEST_BYTES];
    first.copy_from_slice(&Sha256::digest(token)[..DIGEST_BYTES]);
    first
}

impl JobFilter {
    /// Temporal has looked already: this is what it does not know, and what no setting of its index can change.
    fn takes(&self, job: &JobSummary) -> bool {
        // Temporal knows no `completed_with_errors`.
        let is_asked_for = self.status.is_none_or(|status| status == job.status);
        is_asked_for && (self.tenant.is_none() || tenant_and_name(&job.id).0 == self.tenant)
    }
}

impl Jobs {
    /// At most `limit` jobs, from the beginning, or from where an earlier page ended. No page but the last is empty.
    pub fn page(&self, filter: JobFilter, after: Option<Cursor>, limit: usize) -> Call<'_, JobPage> {
        bounded(async move {
            let mut next = after;
            loop {
                let (listed, following) = self.server_page(query(&filter), next, limit).await?;
                let jobs: Vec<_> = listed.into_iter().filter(|job| filter.takes(job)).collect();
                if !jobs.is_empty() || following.is_none() {
                    return Ok(JobPage { jobs, next: following });
                }
                next = following;
            }
        })
    }

    async fn server_page(
        &self,
        query: String,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<(Vec<JobSummary>, Option<Cursor>), ClientError> {
        let request = ListWorkflowExecutionsRequest {
            namespace: self.client.namespace(),
            page_size: i32::try_from(limit).unwrap_or(i32::MAX),
            next_page_token: after.map(|Cursor(token)| token).unwrap_or_default(),
            query,
        };
        let mut service = self.client.connection().workflow_service();
        let listed = service.list_workflow_executions(request.into_request()).await;
        let listed = listed.map_err(|status| rpc_error(&status))?.into_inner();
        let ListWorkflowExecutionsResponse { executions, next_page_token } = listed;
        let converter = self.client.data_converter().payload_converter();
        let jobs = executions.into_iter().filter_map(|execution| description::summary(execution, converter)).collect();
        Ok((jobs, (!next_page_token.is_empty()).then_some(Cursor(next_page_token))))
    }

    /// The ids of those jobs of the batch that have a transcript: run again, it leaves them alone.
    pub fn completed_in_batch<'a>(&'a self, batch: &'a JobId) -> Call<'a, HashSet<String>> {
        Box::pin(async move {
            let query = format!(
                "WorkflowType = 'transcribe' AND ExecutionStatus = 'Completed' AND WorkflowId STARTS_WITH '{batch}.'"
            );
            let found = self.client.list_workflows(query, WorkflowListOptions::default());
            found.map_ok(|execution| execution.id().to_owned()).try_collect().await.map_err(listing_failed)
        })
    }
}

fn query(filter: &JobFilter) -> String {
    let of_tenant = filter.tenant.as_ref().map(|tenant| format!("WorkflowId STARTS_WITH '{}'", tenant.id_prefix()));
    let kinds = match filter.kind {
        Some(kind) => format!("WorkflowType = '{kind}'"),
        None => "WorkflowType IN ('transcribe', 'llm', 'batch')".to_owned(),
    };
    let states = filter.status.map(|status| match status {
        JobStatus::Running => "ExecutionStatus = 'Running'",
        JobStatus::Completed | JobStatus::CompletedWithErrors => "ExecutionStatus = 'Completed'",
        JobStatus::Failed => "ExecutionStatus IN ('Failed', 'Terminated', 'TimedOut')",
        JobStatus::Cancelled => "ExecutionStatus = 'Canceled'",
    });
    // What went on as another run is listed as that.
    let runs = Some("ExecutionStatus != 'ContinuedAsNew'".to_owned());
    let all = [of_tenant, Some(kinds), runs, states.map(str::to_owned)];
    all.into_iter().flatten().collect::<Vec<_>>().join(" AND ")
}

#[cfg(test)]
mod tests {
    use super::Cursor;

    #[test]
    fn cursors_are_read_as_they_were_written() {
        let cursor = Cursor(br#"{"RunID":"one"}"#.to_vec());
        assert_eq!(cursor.to_string().parse::<Cursor>().unwrap(), cursor);
        for bad in ["", "job-1", "x.job-1", "Zm9v=", "\0"] {
            assert!(bad.parse::<Cursor>().is_err(), "{bad}");
        }
    }
}
