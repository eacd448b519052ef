//! What a builder is, what it keeps, and what its own rules would drop.

use std::{
    collections::BTreeMap,
    process::ExitCode,
    time::{Duration, SystemTime},
};

use anyhow::{Context, Result};
use serde_json::json;
use tabled::{
    builder::Builder as TableBuilder,
    settings::{Alignment, Modify, Style, object::Columns},
};
use tasks::output;

use super::forecast::{MOUNT, dropped, mounts_go_after};
use crate::{
    buildkit::{Builder, CacheRecord, CacheRule, Worker},
    name::Name,
    timings::bytes,
};

pub(super) async fn run(builder: &Builder, as_json: bool) -> Result<ExitCode> {
    let failed = || format!("the builder at {} does not tell about itself", builder.address());
    let worker = builder.worker().await.with_context(failed)?;
    let records = builder.cache().await.with_context(failed)?;
    let gone: Vec<CacheRecord> =
        dropped(&records, &worker.rules).into_iter().map(|index| records[index].clone()).collect();
    if as_json {
        let mounts: Vec<_> = records.iter().filter(|record| record.kind == MOUNT).collect();
        let report = json!({
            "address": builder.address(),
            "is_engine": builder.is_engine(),
            "worker": worker,
            "bytes": records.iter().map(|record| record.size).sum::<u64>(),
            "cache_mounts": mounts,
            "would_drop": gone,
        });
        output::print_json(&report)?;
    } else {
        output::print(&describe(builder, &worker, &records, &gone))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn describe(builder: &Builder, worker: &Worker, records: &[CacheRecord], gone: &[CacheRecord]) -> String {
    let kind = if builder.is_engine() { "an engine's builder" } else { "a BuildKit of its own" };
    let total: u64 = records.iter().map(|record| record.size).sum();
    let mut text = format!(
        "{} is {kind}: executor {}, snapshotter {}, for {}\n\nit keeps {} in {} records:\n{}\n",
        builder.address(),
        worker.executor,
        worker.snapshotter,
        worker.platforms.join(", "),
        bytes(total),
        records.len(),
        by_kind(records)
    );
    let mounts: Vec<&CacheRecord> = records.iter().filter(|record| record.kind == MOUNT).collect();
    if !mounts.is_empty() {
        text.push_str(&format!("\ncache mounts:\n{}\n", mounts_table(&mounts)));
    }
    text.push_str("\nits garbage collection, in this order:\n");
    worker.rules.iter().for_each(|rule| text.push_str(&format!("  {}\n", rule_in_words(rule))));
    text.push_str(&format!("now it would drop {}\n", in_words(gone)));
    if let Some(after) = mounts_go_after(records, &worker.rules) {
        text.push_str(&format!(
            "hint: cache mounts that are not used for {} are dropped, for the cache is larger than that rule allows; \
             `{} builder config` shows rules that keep them\n",
            hours(after),
            Name::typed()
        ));
    }
    text
}

pub(super) fn by_kind(records: &[CacheRecord]) -> String {
    let mut kinds: BTreeMap<&str, (usize, u64)> = BTreeMap::new();
    for record in records {
        let (count, size) = kinds.entry(&record.kind).or_default();
        (*count, *size) = (*count + 1, *size + record.size);
    }
    let rows = kinds.iter().map(|(kind, (count, size))| [(*kind).to_owned(), count.to_string(), bytes(*size)]);
    table(["kind", "records", "size"], rows)
}

fn mounts_table(mounts: &[&CacheRecord]) -> String {
    let rows = mounts.iter().map(|mount| [what_mount(&mount.description), bytes(mount.size), unused(mount)]);
    table(["mount", "size", "unused for"], rows)
}

fn table(head: [&str; 3], rows: impl Iterator<Item = [String; 3]>) -> String {
    let mut table = TableBuilder::default();
    table.push_record(head);
    rows.for_each(|row| table.push_record(row));
    let mut table = table.build();
    table.with(Style::sharp()).with(Modify::new(Columns::new(1..3)).with(Alignment::right()));
    table.to_string()
}

/// `cached mount /path from exec COMMAND with id "/name"` is `/path (name)`.
fn what_mount(description: &str) -> String {
    let path = description.strip_prefix("cached mount ").and_then(|rest| rest.split_once(" from exec "));
    let Some((path, rest)) = path else { return description.to_owned() };
    match rest.rsplit_once(" with id \"/").map(|(_, id)| id.trim_end_matches('"')) {
        Some(id) if id != path => format!("{path} ({id})"),
        _ => path.to_owned(),
    }
}

fn unused(record: &CacheRecord) -> String {
    let age = record.last_used.and_then(|used| SystemTime::now().duration_since(used).ok());
    age.map(hours).unwrap_or_default()
}

fn rule_in_words(rule: &CacheRule) -> String {
    let mut words = if rule.filters.is_empty() { "everything".to_owned() } else { rule.filters.join(" or ") };
    if !rule.keep_for.is_zero() {
        words.push_str(&format!(", not used for {}", hours(rule.keep_for)));
    }
    if rule.most > 0 {
        words.push_str(&format!(", once the whole cache has more than {}", bytes(rule.most.max(rule.reserved))));
    }
    if rule.least_free > 0 {
        words.push_str(&format!(", or the disk less than {} free", bytes(rule.least_free)));
    }
    words
}

fn in_words(records: &[CacheRecord]) -> String {
    let mounts = records.iter().filter(|record| record.kind == MOUNT).count();
    let size: u64 = records.iter().map(|record| record.size).sum();
    if records.is_empty() {
        "nothing".to_owned()
    } else {
        format!("{} in {} records, {mounts} of them cache mounts", bytes(size), records.len())
    }
}

pub(crate) fn hours(time: Duration) -> String {
    match time.as_secs() {
        seconds if seconds >= 3600 => format!("{} h", seconds / 3600),
        seconds => format!("{} min", seconds / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::what_mount;

    #[test]
    fn mounts_are_called_by_path_and_id() {
        for (description, expected) in [
            ("cached mount /out from exec /bin/sh -c x with id \"//out\"", "/out"),
            ("cached mount /registry from exec /bin/sh -c x with id \"/cargo\"", "/registry (cargo)"),
            ("something else", "something else"),
        ] {
            assert_eq!(what_mount(description), expected);
        }
    }
}
