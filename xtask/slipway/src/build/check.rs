//! `--check` shows what would be built; and before a build, what is plainly missing.

use std::{path::Path, process::ExitCode};

use anyhow::{Result, bail};
use serde_json::Value;

use super::{
    plan::{Plan, PlannedImage},
    progress::{self, ProgressStyle},
};
use crate::compose::{Context, Dockerfile, NamedContext};

pub(super) fn show(plan: &Plan, style: ProgressStyle) -> Result<ExitCode> {
    if style == ProgressStyle::Json {
        progress::data(&serde_json::to_string_pretty(&without_empty(serde_json::to_value(plan)?))?)?;
    } else {
        for image in &plan.images {
            progress::data(&describe(image))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What a project does not say need not be read.
fn without_empty(value: Value) -> Value {
    let says_something = |value: &Value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        _ => true,
    };
    match value {
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(name, field)| (name, without_empty(field)));
            Value::Object(fields.filter(|(_, field)| says_something(field)).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_empty).collect()),
        other => other,
    }
}

fn describe(image: &PlannedImage) -> String {
    let build = &image.build;
    let mut lines = vec![format!("{} -> {}", image.name, image.tags.join(", "))];
    let mut line = |what: &str, value: String| {
        if !value.is_empty() {
            lines.push(format!("  {what:<10} {value}"));
        }
    };
    line(
        "context",
        match &build.context {
            Context::Folder(folder) => folder.display().to_string(),
            Context::Remote(address) => address.clone(),
        },
    );
    line(
        "dockerfile",
        match &build.dockerfile {
            Dockerfile::File(path) => path.display().to_string(),
            Dockerfile::Inline(_) => "(in the compose file)".to_owned(),
        },
    );
    line("target", build.target.clone().unwrap_or_default());
    let arguments = build.args.iter().map(|(name, value)| format!("{name}={value}"));
    line("arguments", arguments.collect::<Vec<_>>().join(" "));
    line("platforms", build.platforms.join(", "));
    line("secrets", build.secrets.keys().cloned().collect::<Vec<_>>().join(", "));
    line("needs", image.needs.join(", "));
    lines.join("\n")
}

/// The engine would notice, too, but only once other images are half built.
pub(super) fn refuse_missing_files(plan: &Plan) -> Result<()> {
    for image in &plan.images {
        let mut folders = Vec::new();
        if let Context::Folder(folder) = &image.build.context {
            folders.push(folder);
        }
        folders.extend(image.build.additional_contexts.values().filter_map(|context| match context {
            NamedContext::Folder(folder) => Some(folder),
            _ => None,
        }));
        if let Some(folder) = folders.into_iter().find(|folder| !folder.is_dir()) {
            bail!("`{}`: the context {} is not a folder", image.name, folder.display());
        }
        if let Dockerfile::File(path) = &image.build.dockerfile
            && path.is_absolute()
            && !path.is_file()
        {
            bail!("`{}`: there is no Dockerfile {}{}", image.name, path.display(), beside(path));
        }
    }
    Ok(())
}

/// What the user may have meant.
fn beside(path: &Path) -> String {
    let entries = path.parent().and_then(|folder| std::fs::read_dir(folder).ok());
    let names = entries.into_iter().flatten().flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| name.contains("ockerfile")).collect();
    names.sort();
    if names.is_empty() { String::new() } else { format!("; its folder has {}", names.join(", ")) }
}
