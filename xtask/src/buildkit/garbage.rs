//! What the engine's garbage collection does to cache mounts: a rule that drops those that were not
//! used for some days makes the next build after a weekend a cold one.

use std::time::Duration;

use anyhow::Result;
use bollard_buildkit_proto::moby::buildkit::v1::ListWorkersRequest;
use bollard_buildkit_proto::moby::buildkit::v1::types::GcPolicy;

use super::connection::Engine;

const CACHE_MOUNTS: &str = "exec.cachemount";

/// A rule of the engine that drops cache mounts.
#[derive(Debug, PartialEq)]
pub(crate) struct DropsCacheMounts {
    pub(crate) unused_for: Duration,
    /// Bytes of cache mounts and sources that are kept whatever happens; none where nothing is.
    pub(crate) above: Option<u64>,
}

impl Engine {
    /// The rule by which cache mounts go before everything else; none where there is no such rule.
    pub(crate) async fn drops_cache_mounts(&self) -> Result<Option<DropsCacheMounts>> {
        let workers = self.builder().await?.control.list_workers(ListWorkersRequest::default()).await?;
        Ok(workers.into_inner().record.iter().flat_map(|worker| &worker.gc_policy).find_map(rule))
    }
}

fn rule(policy: &GcPolicy) -> Option<DropsCacheMounts> {
    let is_for_mounts = policy.filters.iter().any(|filter| filter.contains(CACHE_MOUNTS));
    let unused_for = u64::try_from(policy.keep_duration).ok().filter(|nanoseconds| *nanoseconds > 0)?;
    let above = u64::try_from(policy.max_used_space.max(policy.reserved_space)).ok().filter(|bytes| *bytes > 0);
    is_for_mounts.then_some(DropsCacheMounts { unused_for: Duration::from_nanos(unused_for), above })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rules_for_cache_mounts_count() {
        let policy = |filter: &str, hours: i64| GcPolicy {
            filters: vec![filter.to_owned()],
            keep_duration: hours * 3_600_000_000_000,
            max_used_space: 512,
            ..GcPolicy::default()
        };
        let drops = DropsCacheMounts { unused_for: Duration::from_hours(48), above: Some(512) };
        let table = [
            ("type==source.local,type==exec.cachemount", 48, Some(drops)),
            ("type==exec.cachemount", 0, None),
            ("type==source.local", 48, None),
        ];
        for (filter, hours, expected) in table {
            assert_eq!(rule(&policy(filter, hours)), expected, "{filter} {hours}");
        }
    }
}
