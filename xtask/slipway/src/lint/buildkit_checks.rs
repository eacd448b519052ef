//! BuildKit's own checks, where an engine answers. None is started for them.

use std::{collections::BTreeMap, path::Path};

use anyhow::Result;

use super::{
    finding::{Finding, Report, RuleName, Severity},
    project::{LintedImage, LintedProject},
};
use crate::{
    buildkit::{Builder, Check, CheckWarning, Engine, Offers, SentLog, Session, SharedDirectory},
    compose::{Context, Dockerfile as DockerfileSource, NamedContext},
};

/// What this program calls the folders that it offers.
const CONTEXT: &str = "context";
const DOCKERFILE: &str = "dockerfile";

/// Adds BuildKit's findings, or the reason why there are none.
pub(crate) async fn add(project: &LintedProject, report: &mut Report) {
    let builder = match connect().await {
        Ok(builder) => builder,
        Err(error) => {
            report.left_out.insert(format!("BuildKit's own checks: {error:#}"));
            return;
        }
    };
    let checks = project.images.iter().map(|image| check(&builder, image));
    let checked = futures_util::future::join_all(checks).await;
    let mut stopped: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (image, check) in project.images.iter().zip(checked) {
        let check = check.unwrap_or_else(|error| Check { warnings: Vec::new(), stopped: Some(format!("{error:#}")) });
        report.findings.extend(check.warnings.into_iter().map(|warning| finding(image, warning)));
        if let Some(reason) = check.stopped {
            stopped.entry(reason).or_default().push(format!("`{}`", image.name));
        }
    }
    let left_out = stopped
        .into_iter()
        .map(|(reason, images)| format!("a part of BuildKit's own checks of {}: {reason}", images.join(", ")));
    report.left_out.extend(left_out);
}

async fn connect() -> Result<Builder> {
    Engine::connect().await?.builder().await
}

async fn check(builder: &Builder, image: &LintedImage) -> Result<Check> {
    let offers = Offers { directories: directories(image), ..Offers::default() };
    let session = Session::open(builder, &format!("lint-{}", image.name), offers, SentLog::default()).await?;
    builder.check(&session.id, attributes(image)).await
}

fn directories(image: &LintedImage) -> BTreeMap<String, SharedDirectory> {
    let dockerfile = match &image.build.dockerfile {
        DockerfileSource::File(path) => SharedDirectory::Folder(path.parent().unwrap_or(path).to_owned()),
        DockerfileSource::Inline(content) => {
            SharedDirectory::InlineFile { name: "Dockerfile".to_owned(), content: content.clone() }
        }
    };
    let context = image.context().map(Path::to_owned).map(SharedDirectory::Folder);
    let named = [(DOCKERFILE, Some(dockerfile)), (CONTEXT, context)];
    named.into_iter().filter_map(|(name, directory)| Some((name.to_owned(), directory?))).collect()
}

fn attributes(image: &LintedImage) -> BTreeMap<String, String> {
    let build = &image.build;
    let mut attributes: BTreeMap<String, String> =
        build.args.iter().map(|(name, value)| (format!("build-arg:{name}"), value.clone())).collect();
    let mut set = |name: String, value: String| drop(attributes.insert(name, value));
    set("dockerfilekey".to_owned(), DOCKERFILE.to_owned());
    if let DockerfileSource::File(path) = &build.dockerfile {
        set("filename".to_owned(), path.file_name().unwrap_or_default().to_string_lossy().into_owned());
    }
    if let Context::Remote(address) = &build.context {
        set("context".to_owned(), address.clone());
    }
    if let Some(target) = &build.target {
        set("target".to_owned(), target.clone());
    }
    for (name, context) in &build.additional_contexts {
        // For a check it only matters that the name is taken.
        let stands_for = match context {
            NamedContext::Remote(address) => address.clone(),
            NamedContext::Folder(_) | NamedContext::Service(_) => "docker-image://scratch".to_owned(),
        };
        set(format!("context:{name}"), stands_for);
    }
    attributes
}

fn finding(image: &LintedImage, warning: CheckWarning) -> Finding {
    let CheckWarning { rule, description, detail, url, lines: (first, last) } = warning;
    let rule = RuleName {
        name: format!("buildkit-{}", dashed(&rule)),
        code: Some(rule),
        summary: description.clone(),
        url: Some(url.clone()).filter(|url| !url.is_empty()),
    };
    Finding {
        rule,
        severity: Severity::Warning,
        file: image.source.file.clone(),
        lines: image.source.lines(&(first..=last)),
        images: [image.name.clone()].into(),
        why: if detail.is_empty() { description } else { detail },
        fix: if url.is_empty() { "see BuildKit's documentation".to_owned() } else { format!("see {url}") },
        saving: None,
        edit: None,
    }
}

/// `StageNameCasing` as `stage-name-casing`; capitals in a row stay together.
fn dashed(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut dashed = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let after_small = at > 0 && !letters[at - 1].is_ascii_uppercase();
        let before_small = at > 0 && letters.get(at + 1).is_some_and(|next| next.is_ascii_lowercase());
        if letter.is_ascii_uppercase() && (after_small || before_small) {
            dashed.push('-');
        }
        dashed.push(letter.to_ascii_lowercase());
    }
    dashed
}
