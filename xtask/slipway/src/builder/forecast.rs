//! What rules would drop, worked out the way BuildKit does: a rule that the whole cache is too large for drops what it
//! matches, the longest unused first, until the cache is small enough. How full the disk is, is left out.

use std::time::{Duration, SystemTime};

use crate::buildkit::{CacheRecord, CacheRule};

pub(super) const MOUNT: &str = "exec.cachemount";

/// The indices of records that the rules would drop now.
pub(super) fn dropped(records: &[CacheRecord], rules: &[CacheRule]) -> Vec<usize> {
    let mut gone = Vec::new();
    for rule in rules {
        let mut total: u64 =
            (0..records.len()).filter(|index| !gone.contains(index)).map(|index| records[index].size).sum();
        let mut candidates: Vec<usize> =
            (0..records.len()).filter(|index| !gone.contains(index) && may_go(&records[*index], rule)).collect();
        candidates.sort_by_key(|index| records[*index].last_used);
        for index in candidates {
            if rule.most > 0 && total <= rule.most.max(rule.reserved) {
                break;
            }
            total -= records[index].size;
            gone.push(index);
        }
    }
    gone
}

/// After how long without use cache mounts go although the disk has room; none where they stay.
pub(crate) fn mounts_go_after(records: &[CacheRecord], rules: &[CacheRule]) -> Option<Duration> {
    let total: u64 = records.iter().map(|record| record.size).sum();
    let threatens = |rule: &CacheRule| names_mounts(rule) && rule.most > 0 && total > rule.most.max(rule.reserved);
    let has_mounts = records.iter().any(|record| record.kind == MOUNT);
    rules.iter().find(|rule| has_mounts && threatens(rule)).map(|rule| rule.keep_for)
}

/// The rule by which cache mounts go for having been unused, before everything else, once the cache is large enough:
/// the next build after a weekend is a cold one.
pub(crate) fn rule_against_mounts(rules: &[CacheRule]) -> Option<&CacheRule> {
    rules.iter().find(|rule| names_mounts(rule) && !rule.keep_for.is_zero())
}

fn names_mounts(rule: &CacheRule) -> bool {
    rule.filters.iter().any(|filter| matches(filter, MOUNT))
}

fn may_go(record: &CacheRecord, rule: &CacheRule) -> bool {
    let age = record.last_used.and_then(|used| SystemTime::now().duration_since(used).ok()).unwrap_or_default();
    let matched = rule.filters.is_empty() || rule.filters.iter().any(|filter| matches(filter, &record.kind));
    !record.in_use && matched && age >= rule.keep_for
}

/// Filters by anything but the kind are taken to match nothing: better too few than too many.
fn matches(filter: &str, kind: &str) -> bool {
    match (filter.strip_prefix("type=="), filter.strip_prefix("type!=")) {
        (Some(wanted), _) => wanted == kind,
        (None, Some(other)) => other != kind,
        (None, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn record(kind: &str, size: u64, hours: u32) -> CacheRecord {
        CacheRecord {
            kind: kind.to_owned(),
            description: String::new(),
            size,
            in_use: false,
            last_used: Some(SystemTime::now() - HOUR * hours),
        }
    }

    fn rule(filters: &[&str], hours: u32, most: u64) -> CacheRule {
        let filters = filters.iter().map(|filter| (*filter).to_owned()).collect();
        CacheRule { filters, keep_for: HOUR * hours, most, ..CacheRule::default() }
    }

    #[test]
    fn rules_drop_the_longest_unused_until_the_cache_is_small_enough() {
        let records = [record(MOUNT, 10, 50), record("regular", 10, 90), record(MOUNT, 10, 70), record(MOUNT, 10, 1)];
        let mounts = ["type==exec.cachemount"];
        let table: &[(&[CacheRule], &[usize])] = &[
            (&[], &[]),
            (&[rule(&mounts, 48, 100)], &[]),
            (&[rule(&mounts, 48, 35)], &[2]),
            (&[rule(&mounts, 48, 5)], &[2, 0]),
            (&[rule(&[], 0, 25)], &[1, 2]),
            (&[rule(&["type!=exec.cachemount"], 0, 5)], &[1]),
            (&[rule(&mounts, 48, 35), rule(&[], 0, 25)], &[2, 1]),
            (&[rule(&[], 60, 0)], &[1, 2]),
            (&[rule(&["description==x"], 0, 1)], &[]),
        ];
        for (rules, expected) in table {
            assert_eq!(dropped(&records, rules), *expected, "{rules:?}");
        }
        assert_eq!(mounts_go_after(&records, &[rule(&mounts, 48, 35)]), Some(HOUR * 48));
        assert_eq!(mounts_go_after(&records, &[rule(&mounts, 48, 50), rule(&[], 0, 5)]), None);
    }

    #[test]
    fn only_rules_that_name_mounts_and_wait_are_against_them() {
        let table: &[(&[&str], u32, bool)] = &[
            (&["type==source.local", "type==exec.cachemount"], 48, true),
            (&["type==exec.cachemount"], 0, false),
            (&["type==source.local"], 48, false),
            (&[], 48, false),
        ];
        for (filters, hours, expected) in table {
            let rules = [rule(filters, *hours, 512)];
            assert_eq!(rule_against_mounts(&rules).is_some(), *expected, "{filters:?} {hours}");
        }
    }
}
