//! Brings a file into the one form in which files can be merged: short forms of a build section
//! become long ones, and relative paths absolute, for each file has its own idea of them.

use std::path::{Component, Path, PathBuf};

use anyhow::Result;

use super::yaml::{Key, Node, Value};

/// Values that compose takes as a mapping or as a list of `KEY=VALUE`.
const MAPPINGS: [&str; 4] = ["args", "labels", "additional_contexts", "ssh"];

pub(super) fn normalize(file: &mut Node, folder: &Path) -> Result<()> {
    if let Some(services) = file.get_mut("services") {
        for_each_entry(services, |service| normalize_service(service, folder))?;
    }
    if let Some(secrets) = file.get_mut("secrets") {
        for_each_entry(secrets, |secret| {
            if let Some(path) = secret.get_mut("file") {
                make_absolute(path, folder);
            }
            Ok(())
        })?;
    }
    Ok(())
}

fn for_each_entry(node: &mut Node, mut change: impl FnMut(&mut Node) -> Result<()>) -> Result<()> {
    match &mut node.value {
        Value::Map(entries) => entries.iter_mut().try_for_each(|(_, entry)| change(entry)),
        _ => Ok(()),
    }
}

fn normalize_service(service: &mut Node, folder: &Path) -> Result<()> {
    let Some(build) = service.get_mut("build") else {
        return Ok(());
    };
    if let Value::Scalar(_) = build.value {
        let context = build.clone();
        let key = Key { text: "context".to_owned(), line: build.place.line };
        build.value = Value::Map(vec![(key, context)]);
    }
    for name in MAPPINGS {
        if let Some(node) = build.get_mut(name) {
            list_to_mapping(node)?;
        }
    }
    if let Some(context) = build.get_mut("context") {
        make_absolute(context, folder);
    }
    if let Some(contexts) = build.get_mut("additional_contexts") {
        for_each_entry(contexts, |context| {
            make_absolute(context, folder);
            Ok(())
        })?;
    }
    Ok(())
}

fn list_to_mapping(node: &mut Node) -> Result<()> {
    let Value::List(items) = &node.value else {
        return Ok(());
    };
    let mut entries: Vec<(Key, Node)> = Vec::new();
    for item in items {
        let Value::Scalar(text) = &item.value else {
            return Err(item.error("expected KEY=VALUE"));
        };
        let (key, value) = match text.split_once('=') {
            Some((key, value)) => (key, Value::Scalar(value.to_owned())),
            None => (text.as_str(), Value::Null),
        };
        // As in a shell, the last of two wins.
        entries.retain(|(known, _)| known.text != key);
        entries.push((Key { text: key.to_owned(), line: item.place.line }, item.with(value)));
    }
    node.value = Value::Map(entries);
    Ok(())
}

fn make_absolute(node: &mut Node, folder: &Path) {
    if let Value::Scalar(text) = &mut node.value
        && !is_remote(text)
    {
        *text = clean(&folder.join(&*text)).to_string_lossy().into_owned();
    }
}

/// Whether a context is not a folder on this machine.
pub(super) fn is_remote(context: &str) -> bool {
    let prefixes = ["github.com/", "git@", "service:", "target:"];
    context.contains("://") || prefixes.iter().any(|prefix| context.starts_with(prefix))
}

/// Without `.` and `..`, as far as the text alone allows.
pub(super) fn clean(path: &Path) -> PathBuf {
    let mut result = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(result.pop()),
            other => result.push(other),
        }
    }
    result
}
