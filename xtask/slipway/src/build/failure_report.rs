//! What is told about images that were not built: the step, the Dockerfile's lines around it,
//! the end of its output, and what became of the other images.

use super::plan::Plan;
use crate::{
    build_event::{Failure, ImageOutcome},
    compose::Dockerfile,
    name::Name,
    timings::{BuildRecord, ImageRecord},
};

/// Lines of the Dockerfile shown on each side.
const NEIGHBOURS: usize = 2;

/// None where every image was built.
pub(super) fn render(plan: &Plan, record: &BuildRecord, interrupted: bool) -> Option<String> {
    if interrupted {
        return Some(format!("interrupted; the engine was told to stop\n{}", other_images(record, None)));
    }
    let failed: Vec<(&ImageRecord, &Failure)> = record
        .images
        .iter()
        .filter_map(|image| match &image.outcome {
            Some(ImageOutcome::Failed(failure)) => Some((image, failure)),
            _ => None,
        })
        .collect();
    if let Some((_, failure)) = failed.iter().find(|(_, failure)| failure.engine_lost) {
        return Some(format!(
            "error: the engine went away during the build: {}\n\
             hint: start it again with `{} engine`; the steps that it had finished are kept\n",
            failure.message,
            Name::typed()
        ));
    }
    let reports: Vec<String> = failed.iter().map(|(image, failure)| one(plan, image, failure)).collect();
    let first = failed.first()?;
    Some(format!("{}{}", reports.join("\n"), other_images(record, Some(&first.0.name))))
}

fn one(plan: &Plan, image: &ImageRecord, failure: &Failure) -> String {
    let step = failure.step.as_deref().and_then(|digest| image.step(digest));
    let mut text = match step {
        Some(step) => format!("error: `{}` failed at {}\n  {}\n", image.name, step.name, failure.message),
        None => format!("error: `{}` failed: {}\n", image.name, failure.message),
    };
    if let Some(lines) = failure.lines
        && let Some(excerpt) = plan.image(&image.name).and_then(|image| excerpt(&image.build.dockerfile, lines))
    {
        text.push_str(&excerpt);
    }
    let lines = step.map(|step| step.last_lines()).unwrap_or_default();
    if !lines.is_empty() {
        text.push_str("\nthe last lines of its output:\n");
        lines.iter().for_each(|line| text.push_str(&format!("  {line}\n")));
    }
    text
}

/// The instruction's lines with their neighbours; none where the Dockerfile is not on this
/// machine.
fn excerpt(dockerfile: &Dockerfile, (first, last): (usize, usize)) -> Option<String> {
    let (file, content) = match dockerfile {
        Dockerfile::File(path) => (path.display().to_string(), std::fs::read_to_string(path).ok()?),
        Dockerfile::Inline(content) => ("dockerfile_inline".to_owned(), content.clone()),
    };
    let mut text = format!("\n{file}:{first}\n");
    let shown = first.saturating_sub(NEIGHBOURS).max(1)..=last + NEIGHBOURS;
    for (number, line) in (1..).zip(content.lines()).filter(|(number, _)| shown.contains(number)) {
        let mark = if (first..=last).contains(&number) { '>' } else { ' ' };
        text.push_str(format!("{mark} {number:>4} | {line}").trim_end());
        text.push('\n');
    }
    Some(text)
}

fn other_images(record: &BuildRecord, except: Option<&str>) -> String {
    let others = record.images.iter().filter(|image| Some(image.name.as_str()) != except);
    let endings: Vec<String> = others.map(|image| format!("`{}` {}", image.name, ending(image))).collect();
    let mut text = String::new();
    if !endings.is_empty() {
        text = format!("\nother images: {}\n", endings.join(", "));
    }
    let stopped = |image: &ImageRecord| matches!(image.outcome, Some(ImageOutcome::Cancelled));
    if except.is_some() && record.images.iter().any(stopped) {
        text.push_str("hint: --keep-going builds the others to the end\n");
    }
    text
}

fn ending(image: &ImageRecord) -> String {
    match &image.outcome {
        Some(ImageOutcome::Built { .. }) => "was built".to_owned(),
        Some(ImageOutcome::Unchanged { .. }) => "was unchanged".to_owned(),
        Some(ImageOutcome::Failed(_)) => "failed".to_owned(),
        Some(ImageOutcome::Skipped { because }) => format!("was skipped, for it needs `{because}`"),
        Some(ImageOutcome::Cancelled) | None => "was cancelled".to_owned(),
    }
}
