//! Whether `slipway build` has become slower since an earlier bench, by more than chance explains.
//!
//! A case is slower when both hold: the median has grown by more than a twentieth and more than 50 ms, and the
//! chance that builds of equal speed come out as far apart (Mann and Whitney's test) is at most 5 %. That takes three
//! rounds on both sides; fewer are no ground for a verdict.

use std::{fmt, path::Path};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::{
    machine::Machine,
    report::{FORMAT, Measurement, seconds},
    scenario::Case,
    statistics::{chance_of_being_above, median},
    variant::Variant,
};

const LARGEST_CHANCE: f64 = 0.05;
const SMALLEST_SHARE: f64 = 0.05;
const SMALLEST_SECONDS: f64 = 0.05;
const FEWEST_ROUNDS: usize = 3;

/// What is read of an earlier `bench.json`.
#[derive(Deserialize)]
pub(super) struct Earlier {
    format: u32,
    machine: Machine,
    measurements: Vec<Measurement>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ComparisonResult {
    Slower,
    Faster,
    Same,
    TooFewRounds,
}

#[derive(Debug)]
pub(super) struct Comparison {
    pub(super) case: Case,
    earlier_s: f64,
    now_s: f64,
    pub(super) result: ComparisonResult,
}

impl Earlier {
    pub(super) fn read(path: &Path) -> Result<Earlier> {
        let text = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
        let read: Result<Earlier, _> = serde_json::from_slice(&text);
        let earlier = read.with_context(|| format!("{} is no bench.json of bench-build", path.display()))?;
        if earlier.format != FORMAT {
            bail!("{} has format {}, and this program reads {FORMAT}: measure again", path.display(), earlier.format);
        }
        Ok(earlier)
    }

    pub(super) fn is_of(&self, machine: &Machine) -> bool {
        self.machine.is_like(machine)
    }

    /// Compares the cases that both benches have.
    pub(super) fn compare(&self, now: &[Measurement], cases: &[Case]) -> Vec<Comparison> {
        let compare = |case: &Case| {
            let [earlier, now] = [&self.measurements[..], now].map(|all| seconds(all, case, Variant::Xtask));
            let (earlier_s, now_s) = (median(&earlier)?, median(&now)?);
            Some(Comparison { case: case.clone(), earlier_s, now_s, result: result(&earlier, &now) })
        };
        cases.iter().filter_map(compare).collect()
    }
}

fn result(earlier: &[f64], now: &[f64]) -> ComparisonResult {
    if earlier.len().min(now.len()) < FEWEST_ROUNDS {
        ComparisonResult::TooFewRounds
    } else if is_clearly_above(now, earlier) {
        ComparisonResult::Slower
    } else if is_clearly_above(earlier, now) {
        ComparisonResult::Faster
    } else {
        ComparisonResult::Same
    }
}

fn is_clearly_above(above: &[f64], below: &[f64]) -> bool {
    let (Some(high), Some(low)) = (median(above), median(below)) else { return false };
    high - low > (SMALLEST_SHARE * low).max(SMALLEST_SECONDS)
        && chance_of_being_above(above, below) <= LARGEST_CHANCE + f64::EPSILON
}

impl fmt::Display for Comparison {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let result = match self.result {
            ComparisonResult::Slower => "slower",
            ComparisonResult::Faster => "faster",
            ComparisonResult::Same => "no difference beyond the noise",
            ComparisonResult::TooFewRounds => "no verdict with fewer than three rounds on both sides",
        };
        let Comparison { case, earlier_s, now_s, .. } = self;
        let change = 100.0 * (now_s / earlier_s - 1.0);
        write!(formatter, "{case}: {earlier_s:.2} s, now {now_s:.2} s ({change:+.0} %): {result}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_chance_does_not_explain_counts() {
        let table: &[(&[f64], &[f64], ComparisonResult)] = &[
            (&[1.0, 1.01, 1.02], &[2.0, 2.1, 2.2], ComparisonResult::Slower),
            (&[2.0, 2.1, 2.2], &[1.0, 1.01, 1.02], ComparisonResult::Faster),
            // All are slower, but nobody would notice.
            (&[1.0, 1.01, 1.02], &[1.03, 1.035, 1.04], ComparisonResult::Same),
            (&[0.2, 0.2, 0.2], &[0.24, 0.24, 0.24], ComparisonResult::Same),
            // The median is much slower, but the values lie among each other.
            (&[1.0, 1.0, 3.0], &[1.5, 1.6, 1.7], ComparisonResult::Same),
            // One outlier hides nothing where there are rounds enough.
            (&[1.0, 1.0, 1.1, 1.1, 9.0], &[1.5, 1.5, 1.6, 1.6, 1.6], ComparisonResult::Same),
            (&[1.0, 1.0, 1.1, 1.1, 1.1, 1.1, 9.0], &[1.5, 1.5, 1.6, 1.6, 1.6, 1.6, 1.6], ComparisonResult::Slower),
            (&[1.0, 1.0], &[9.0, 9.0, 9.0], ComparisonResult::TooFewRounds),
        ];
        for (earlier, now, expected) in table {
            assert_eq!(result(earlier, now), *expected, "{earlier:?} {now:?}");
        }
    }
}
