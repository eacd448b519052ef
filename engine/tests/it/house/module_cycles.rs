//! The engine's modules depend on each other one way.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use super::{root, sources};

type Dependencies = BTreeMap<String, BTreeSet<String>>;

#[test]
fn modules_of_the_engine_depend_one_way() {
    let mut dependencies = Dependencies::new();
    for file in sources() {
        let Some(path) = file.strip_prefix("engine/src/") else { continue };
        let module = path.split(['/', '.']).next().unwrap_or_default().to_owned();
        let text = fs::read_to_string(root().join(&file)).unwrap();
        let used = used_modules(&text).into_iter().filter(|used| *used != module);
        dependencies.entry(module.clone()).or_default().extend(used);
    }
    assert!(dependencies.len() > 10, "the engine's modules were not found: {dependencies:?}");
    assert_eq!(cycle(&dependencies), None);
}

#[test]
fn uses_are_found_in_every_spelling_and_cycles_in_every_length() {
    for (text, used) in [
        ("use crate::job::Source;", vec!["job"]),
        (
            "use crate::{\n    job::{Source, Webhook},\n    llm, result::{self, JobStatus},\n};",
            vec!["job", "llm", "result"],
        ),
        ("    crate::tls::install();", vec!["tls"]),
        ("// as crate::store is\nuse super::job;", vec![]),
    ] {
        assert_eq!(used_modules(text), used, "{text}");
    }
    let dependencies = |edges: &[(&str, &str)]| {
        let mut all = Dependencies::new();
        for (from, to) in edges {
            all.entry((*from).to_owned()).or_default().insert((*to).to_owned());
        }
        all
    };
    assert_eq!(cycle(&dependencies(&[("a", "b"), ("a", "c"), ("b", "c")])), None);
    assert_eq!(cycle(&dependencies(&[("a", "b"), ("b", "c"), ("c", "b")])).as_deref(), Some("b -> c -> b"));
}

/// The top-level modules that paths from the crate's root begin with.
fn used_modules(text: &str) -> Vec<String> {
    let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    code.split("crate::").skip(1).flat_map(first_names).collect()
}

/// The path's first name, or those of the group that follows.
fn first_names(rest: &str) -> Vec<String> {
    let Some(group) = rest.strip_prefix('{') else { return vec![name(rest)] };
    let mut depth = 0;
    let mut names = vec![name(group)];
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(name(&group[at + 1..])),
            _ => {}
        }
    }
    // A comma may come before the group's end.
    names.retain(|name| !name.is_empty());
    names
}

fn name(text: &str) -> String {
    text.trim_start().chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
}

/// A cycle as text, if there is one.
fn cycle(dependencies: &Dependencies) -> Option<String> {
    dependencies.keys().find_map(|start| cycle_from(start, &mut Vec::new(), dependencies))
}

fn cycle_from(module: &str, path: &mut Vec<String>, dependencies: &Dependencies) -> Option<String> {
    if let Some(start) = path.iter().position(|seen| seen == module) {
        let members = path[start..].iter().map(String::as_str).chain([module]);
        return Some(members.collect::<Vec<_>>().join(" -> "));
    }
    path.push(module.to_owned());
    let found = dependencies.get(module).into_iter().flatten().find_map(|used| cycle_from(used, path, dependencies));
    path.pop();
    found
}
