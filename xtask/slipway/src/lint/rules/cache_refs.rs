//! Two images that export their caches to one place overwrite each other's.

use std::collections::BTreeMap;

use super::{
    super::{
        finding::{Finding, Report, Saving, Severity},
        project::{LintedImage, LintedProject},
    },
    Check, Rule,
};
use crate::build_inputs::CacheStore;

pub(super) const DUPLICATE: Rule = Rule {
    name: "duplicate-cache-ref",
    code: None,
    severity: Severity::Error,
    summary: "two images export their caches to the same place",
    check: Check::Project(check),
};

fn check(rule: &Rule, project: &LintedProject, report: &mut Report) {
    let mut owners: BTreeMap<String, &LintedImage> = BTreeMap::new();
    for image in &project.images {
        for store in image.build.cache_to.iter().filter(|store| store.kind != "inline") {
            let place = place(store);
            match owners.get(&place) {
                Some(owner) if owner.name != image.name => report.findings.extend(finding(rule, owner, image, &place)),
                _ => drop(owners.insert(place, image)),
            }
        }
    }
}

/// What decides where a cache goes; compression and the like do not.
fn place(store: &CacheStore) -> String {
    let keys = ["ref", "scope", "bucket", "region", "name", "prefix", "account_url", "container", "endpoint_url"];
    let parts = keys.iter().filter_map(|key| store.attributes.get(*key).map(|value| format!("{key}={value}")));
    [store.kind.clone()].into_iter().chain(parts).collect::<Vec<_>>().join(",")
}

fn finding(rule: &Rule, owner: &LintedImage, image: &LintedImage, place: &str) -> Option<Finding> {
    let at = image.places.get("cache_to")?;
    Some(Finding {
        rule: rule.to_name(),
        severity: rule.severity,
        file: at.file.to_path_buf(),
        lines: at.line..=at.line,
        images: [owner.name.clone(), image.name.clone()].into(),
        why: format!(
            "`{}` and `{}` export their caches to {place}: each overwrites the other's, and one of them never finds its own",
            owner.name, image.name
        ),
        fix: format!("give `{}` a `ref` or `scope` of its own", image.name),
        saving: Some(Saving::guess(format!(
            "a whole build of `{}` where only its exported cache is at hand",
            owner.name
        ))),
        edit: None,
    })
}
