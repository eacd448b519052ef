//! What a builder keeps, and by which rules it drops it.

use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use bollard_buildkit_proto::moby::buildkit::v1::{
    DiskUsageRequest, ListWorkersRequest, PruneRequest, UsageRecord, types::GcPolicy,
};
use serde::Serialize;

use super::{builder::Builder, status::system_time};

/// Something that a builder keeps.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct CacheRecord {
    /// `regular` for the result of a step, `exec.cachemount`, `source.local`, and others.
    pub(crate) kind: String,
    pub(crate) description: String,
    /// Bytes.
    pub(crate) size: u64,
    pub(crate) in_use: bool,
    pub(crate) last_used: Option<SystemTime>,
}

/// A rule of the garbage collection. Rules are applied in order, each to what the ones before it have left.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct CacheRule {
    /// Each as in `type==exec.cachemount`; a record that matches any of them may go. None: every record may.
    pub(crate) filters: Vec<String>,
    /// What was used within this time stays.
    pub(crate) keep_for: Duration,
    /// Bytes of the whole cache from which on the rule applies. Zero: always.
    pub(crate) most: u64,
    /// Bytes that are never dropped.
    pub(crate) reserved: u64,
    /// Bytes of the disk that the rule keeps free.
    pub(crate) least_free: u64,
}

/// The part of a builder that runs steps.
#[derive(Debug, Serialize)]
pub(crate) struct Worker {
    pub(crate) executor: String,
    pub(crate) snapshotter: String,
    pub(crate) platforms: Vec<String>,
    pub(crate) rules: Vec<CacheRule>,
}

impl Builder {
    pub(crate) async fn worker(&self) -> Result<Worker> {
        let workers = self.control.clone().list_workers(ListWorkersRequest::default()).await?.into_inner().record;
        let mut worker = workers.into_iter().next().context("the builder has no worker")?;
        let mut label =
            |name: &str| worker.labels.remove(&format!("org.mobyproject.buildkit.worker.{name}")).unwrap_or_default();
        Ok(Worker {
            executor: label("executor"),
            snapshotter: label("snapshotter"),
            platforms: worker.platforms.iter().map(|on| format!("{}/{}", on.os, on.architecture)).collect(),
            rules: worker.gc_policy.into_iter().map(CacheRule::from).collect(),
        })
    }

    pub(crate) async fn cache(&self) -> Result<Vec<CacheRecord>> {
        let usage = self.control.clone().disk_usage(DiskUsageRequest::default()).await?;
        Ok(usage.into_inner().record.into_iter().map(CacheRecord::from).collect())
    }

    /// Drops what the rule allows, what was used longest ago first, and tells what that was.
    pub(crate) async fn prune(&self, rule: &CacheRule) -> Result<Vec<CacheRecord>> {
        let request = PruneRequest {
            filter: rule.filters.clone(),
            all: true,
            keep_duration: i64::try_from(rule.keep_for.as_nanos())?,
            max_used_space: i64::try_from(rule.most)?,
            ..PruneRequest::default()
        };
        let mut answers = self.control.clone().prune(request).await?.into_inner();
        let mut dropped = Vec::new();
        while let Some(record) = answers.message().await? {
            dropped.push(CacheRecord::from(record));
        }
        Ok(dropped)
    }
}

impl From<UsageRecord> for CacheRecord {
    fn from(record: UsageRecord) -> CacheRecord {
        CacheRecord {
            kind: record.record_type,
            description: record.description,
            size: bytes(record.size),
            in_use: record.in_use,
            last_used: record.last_used_at.or(record.created_at).map(system_time),
        }
    }
}

impl From<GcPolicy> for CacheRule {
    fn from(policy: GcPolicy) -> CacheRule {
        CacheRule {
            filters: policy.filters,
            keep_for: Duration::from_nanos(bytes(policy.keep_duration)),
            most: bytes(policy.max_used_space),
            reserved: bytes(policy.reserved_space),
            least_free: bytes(policy.min_free_space),
        }
    }
}

fn bytes(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}
