//! What has been measured so far: `bench.json`.

use std::{
    collections::BTreeMap,
    time::{SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

use super::{
    against_host::AgainstHost,
    machine::{Machine, Tools},
    scenario::{Case, Scenario},
    statistics::Summary,
    variant::Variant,
};

/// Raised when a field of the report changes its meaning or goes away; fields are added without that.
pub(super) const FORMAT: u32 = 1;

/// One build, timed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Measurement {
    #[serde(flatten)]
    pub(crate) case: Case,
    pub(crate) variant: Variant,
    /// Counted from 1; all variants take their turn before the next round.
    pub(crate) round: u32,
    /// From the start of the first command to the end of the last.
    pub(crate) seconds: f64,
    /// Whether every image's program differs from that of the unchanged sources; none where there is no such image.
    pub(crate) programs_differ: Option<bool>,
}

/// `bench.json`.
#[derive(Serialize)]
pub(super) struct Report {
    pub(super) format: u32,
    pub(super) project: String,
    /// Milliseconds since 1970.
    pub(super) began_unix_ms: u128,
    /// Whether all rounds were taken.
    pub(super) complete: bool,
    pub(super) rounds: u32,
    pub(super) machine: Machine,
    pub(super) tools: Tools,
    pub(super) variants: Vec<Variant>,
    /// What could not be measured, each with the reason.
    pub(super) not_measured: Vec<String>,
    /// A service's image after a change of one line of its code, plainly built and through `slipway build`.
    pub(super) seed_table: Vec<SeedRow>,
    pub(super) results: Vec<CaseResult>,
    pub(super) measurements: Vec<Measurement>,
}

/// Medians in seconds; none where there is no measurement yet.
#[derive(Serialize)]
pub(super) struct SeedRow {
    pub(super) service: String,
    pub(super) before_s: Option<f64>,
    pub(super) after_s: Option<f64>,
    /// The share of the time before that is saved.
    pub(super) improvement: Option<f64>,
}

#[derive(Serialize)]
pub(super) struct CaseResult {
    #[serde(flatten)]
    pub(super) case: Case,
    pub(super) by_variant: BTreeMap<Variant, Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) against_host: Option<AgainstHost>,
}

impl Report {
    pub(super) fn new(project: &str, rounds: u32, variants: &[Variant], machine: Machine, tools: Tools) -> Report {
        Report {
            format: FORMAT,
            project: project.to_owned(),
            began_unix_ms: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis(),
            complete: false,
            rounds,
            machine,
            tools,
            variants: variants.to_vec(),
            not_measured: Vec::new(),
            seed_table: Vec::new(),
            results: Vec::new(),
            measurements: Vec::new(),
        }
    }

    pub(super) fn plan(&mut self, seed_rows: &[&str], not_measured: Vec<String>) {
        let row = |service: &&str| SeedRow {
            service: (*service).to_owned(),
            before_s: None,
            after_s: None,
            improvement: None,
        };
        self.seed_table = seed_rows.iter().map(row).collect();
        self.not_measured = not_measured;
    }

    pub(super) fn add(&mut self, measurement: Measurement) {
        let case = measurement.case.clone();
        let variant = measurement.variant;
        self.measurements.push(measurement);
        let Some(summary) = Summary::of(&seconds(&self.measurements, &case, variant)) else { return };
        let index = self.results.iter().position(|result| result.case == case).unwrap_or_else(|| {
            self.results.push(CaseResult { case, by_variant: BTreeMap::new(), against_host: None });
            self.results.len() - 1
        });
        let result = &mut self.results[index];
        result.by_variant.insert(variant, summary);
        result.against_host = AgainstHost::of(result.case.scenario, &result.by_variant);
        self.fill_seed_table();
    }

    fn fill_seed_table(&mut self) {
        for row in &mut self.seed_table {
            let case = Case { scenario: Scenario::Code, service: Some(row.service.clone()) };
            let result = self.results.iter().find(|result| result.case == case);
            let median = |variant| Some(result?.by_variant.get(&variant)?.median_s);
            row.before_s = median(Variant::Before);
            row.after_s = median(Variant::Xtask);
            row.improvement = row.before_s.zip(row.after_s).map(|(before, after)| 1.0 - after / before);
        }
    }
}

pub(super) fn seconds(measurements: &[Measurement], case: &Case, variant: Variant) -> Vec<f64> {
    let same = measurements.iter().filter(|one| one.case == *case && one.variant == variant);
    same.map(|one| one.seconds).collect()
}
