//! Jobs page by page, newest first.

use std::{
    collections::HashSet,
    fmt,
    str::FromStr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use futures_util::{StreamExt, TryStreamExt};
use temporalio_client::{WorkflowExecution, WorkflowListOptions};

use super::{Call, Jobs, bounded, description, error::listing_failed};
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

/// A place in the list: after the job that started then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Since the epoch.
    started: Duration,
    /// In the list of one tenant's jobs, the name that the tenant knows.
    id: String,
}

/// It came from no page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cursor is none that a page gave as next_cursor")]
pub struct BadCursor;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.started.as_nanos(), self.id)
    }
}

impl FromStr for Cursor {
    type Err = BadCursor;

    fn from_str(text: &str) -> Result<Self, BadCursor> {
        let (started, id) = text.split_once('.').ok_or(BadCursor)?;
        // Temporal counts in signed numbers and refuses what is beyond them.
        let started = started.parse::<u64>().ok().filter(|nanos| i64::try_from(*nanos).is_ok()).ok_or(BadCursor)?;
        Ok(Self { started: Duration::from_nanos(started), id: id.to_owned() })
    }
}

impl Cursor {
    fn after(execution: &WorkflowExecution, filter: &JobFilter) -> Self {
        Self { started: since_epoch(execution), id: filter.listed_id(execution).to_owned() }
    }

    /// Whether the job was on a page before, among those that started at the same time.
    fn has_passed(&self, execution: &WorkflowExecution, filter: &JobFilter) -> bool {
        since_epoch(execution) == self.started && filter.listed_id(execution) >= self.id.as_str()
    }
}

impl JobFilter {
    fn listed_id<'a>(&self, execution: &'a WorkflowExecution) -> &'a str {
        if self.tenant.is_some() { tenant_and_name(execution.id()).1 } else { execution.id() }
    }

    /// Temporal has compared already: this is what no setting of its index can change.
    fn is_of_tenant(&self, execution: &WorkflowExecution) -> bool {
        self.tenant.is_none() || tenant_and_name(execution.id()).0 == self.tenant
    }
}

fn since_epoch(execution: &WorkflowExecution) -> Duration {
    let started = execution.start_time().unwrap_or(SystemTime::UNIX_EPOCH);
    started.duration_since(UNIX_EPOCH).unwrap_or_default()
}

impl Jobs {
    /// At most `limit` jobs, from the newest on, or from where an earlier page ended.
    pub fn page<'a>(&'a self, filter: JobFilter, after: Option<&'a Cursor>, limit: usize) -> Call<'a, JobPage> {
        bounded(async move {
            let (filter, found) = (&filter, query(&filter, after));
            let found = self.client.list_workflows(found, WorkflowListOptions::default());
            let wanted = found.try_filter_map(|execution| async move {
                let summary = description::summary(&execution);
                Ok(summary.map(|summary| (execution, summary)))
            });
            let wanted = wanted.try_filter(|(execution, summary)| {
                let is_new = after.is_none_or(|after| !after.has_passed(execution, filter));
                // Temporal knows no `completed_with_errors`.
                let is_asked_for = filter.status.is_none_or(|status| status == summary.status);
                let is_wanted = is_new && is_asked_for && filter.is_of_tenant(execution);
                async move { is_wanted }
            });
            let mut found: Vec<_> = wanted.take(limit + 1).try_collect().await.map_err(listing_failed)?;
            let has_more = found.len() > limit;
            found.truncate(limit);
            let next = found.last().filter(|_| has_more).map(|(execution, _)| Cursor::after(execution, filter));
            Ok(JobPage { jobs: found.into_iter().map(|(_, summary)| summary).collect(), next })
        })
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

fn query(filter: &JobFilter, after: Option<&Cursor>) -> String {
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
    let from = after.map(|after| format!("StartTime <= {}", after.started.as_nanos()));
    // What went on as another run is listed as that.
    let runs = Some("ExecutionStatus != 'ContinuedAsNew'".to_owned());
    let all = [of_tenant, Some(kinds), runs, states.map(str::to_owned), from];
    all.into_iter().flatten().collect::<Vec<_>>().join(" AND ")
}

#[cfg(test)]
mod tests {
    use super::Cursor;

    #[test]
    fn cursors_are_read_as_they_were_written() {
        let text = "1764115200000000001.job-1.llm.summary";
        assert_eq!(text.parse::<Cursor>().unwrap().to_string(), text);
        for bad in ["", "job-1", "x.job-1", "1", "-1.job-1", "9223372036854775808.job-1"] {
            assert!(bad.parse::<Cursor>().is_err(), "{bad}");
        }
    }
}
