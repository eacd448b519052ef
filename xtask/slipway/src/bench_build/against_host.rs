//! Whether images cost little more than building the same programs on the host.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{scenario::Scenario, statistics::Summary, variant::Variant};

/// After a change of sources, images may take so many times as long as the host, and so many seconds.
pub(super) const LARGEST_RATIO: f64 = 1.15;
pub(super) const LARGEST_REST_S: f64 = 2.0;

/// Medians of one case.
#[derive(Serialize)]
pub(super) struct AgainstHost {
    pub(super) host_s: f64,
    pub(super) xtask_s: f64,
    pub(super) ratio: f64,
    /// None where the sources do not change: what is made then is not the same.
    pub(super) limit_s: Option<f64>,
    pub(super) holds: Option<bool>,
}

impl AgainstHost {
    /// None where one of the two was not measured.
    pub(super) fn of(scenario: Scenario, by_variant: &BTreeMap<Variant, Summary>) -> Option<AgainstHost> {
        let median = |variant| by_variant.get(&variant).map(|summary| summary.median_s);
        let (host_s, xtask_s) = median(Variant::Host).zip(median(Variant::Xtask))?;
        let limit_s = scenario.changes_sources().then_some(LARGEST_RATIO * host_s + LARGEST_REST_S);
        let holds = limit_s.map(|limit_s| xtask_s <= limit_s);
        Some(AgainstHost { host_s, xtask_s, ratio: xtask_s / host_s, limit_s, holds })
    }
}
