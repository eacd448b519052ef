//! The table and the few lines that follow a build.

use std::time::Duration;

use tabled::{
    builder::Builder,
    settings::{Alignment, Modify, Style, object::Columns},
};

use super::{
    critical_path::{Stretch, critical_path},
    record::{BuildRecord, ImageRecord, StepOutcome},
};
use crate::build_event::ImageOutcome;

/// Parts of the critical path that are worth a line.
const SHOWN_STRETCHES: usize = 6;
const SHORTEST_SHOWN: Duration = Duration::from_millis(50);

/// The whole report of a build as text.
pub(crate) fn render_table(record: &BuildRecord) -> String {
    let mut text = images(record);
    let total = record.wall.0;
    text.push_str(&format!(
        "\n{} in {}, {} sent to the engine\n",
        counted(record),
        seconds(total),
        bytes(record.context_sent)
    ));
    for notice in &record.notices {
        text.push_str(&format!("warning: {notice}\n"));
    }
    for image in &record.images {
        for warning in &image.warnings {
            text.push_str(&format!("warning: {}: {warning}\n", image.name));
        }
    }
    let path = critical_path(record);
    text.push_str(&where_time_went(&path));
    if let Some(advice) = advice(record, &path) {
        text.push_str(&format!("hint: {advice}\n"));
    }
    text
}

fn images(record: &BuildRecord) -> String {
    let mut table = Builder::default();
    table.push_record(["image", "wall", "ran", "cached", "shared", "waiting", "context", "size", "digest"]);
    for image in &record.images {
        table.push_record(row(image));
    }
    let mut table = table.build();
    table.with(Style::sharp()).with(Modify::new(Columns::new(1..8)).with(Alignment::right()));
    table.to_string()
}

fn row(image: &ImageRecord) -> [String; 9] {
    let count = |outcome| image.instructions(outcome).to_string();
    let (size, digest) = match &image.outcome {
        Some(ImageOutcome::Built { digest, size }) => (bytes(*size), short(digest).to_owned()),
        Some(ImageOutcome::Unchanged { digest, size }) => (bytes(*size), format!("{} unchanged", short(digest))),
        Some(ImageOutcome::Failed(_)) => (String::new(), "failed".to_owned()),
        Some(ImageOutcome::Skipped { because }) => (String::new(), format!("skipped: needs {because}")),
        Some(ImageOutcome::Cancelled) | None => (String::new(), "cancelled".to_owned()),
    };
    [
        image.name.clone(),
        seconds(image.wall()),
        count(StepOutcome::Ran),
        count(StepOutcome::Cached),
        count(StepOutcome::Shared),
        seconds(image.waiting()),
        bytes(image.context_bytes()),
        size,
        digest,
    ]
}

fn counted(record: &BuildRecord) -> String {
    let count = |counts: fn(&ImageOutcome) -> bool| {
        record.images.iter().filter(|image| image.outcome.as_ref().is_some_and(counts)).count()
    };
    let built = count(|outcome| matches!(outcome, ImageOutcome::Built { .. }));
    let unchanged = match count(|outcome| matches!(outcome, ImageOutcome::Unchanged { .. })) {
        0 => String::new(),
        count => format!(", {count} unchanged"),
    };
    format!("{built} of {} images built{unchanged}", record.images.len())
}

fn where_time_went(path: &[Stretch]) -> String {
    let mut longest: Vec<&Stretch> = path.iter().filter(|stretch| stretch.duration() >= SHORTEST_SHOWN).collect();
    longest.sort_by_key(|stretch| std::cmp::Reverse(stretch.duration()));
    longest.truncate(SHOWN_STRETCHES);
    longest.sort_by_key(|stretch| stretch.start);
    let mut text = String::new();
    if !longest.is_empty() {
        text.push_str("the time went into:\n");
    }
    for stretch in longest {
        let (took, what) = (seconds(stretch.duration()), one_line(&stretch.what));
        text.push_str(&format!("  {took:>8}  {}: {what}\n", stretch.image));
    }
    text
}

/// One line about what was obviously slow.
fn advice(record: &BuildRecord, path: &[Stretch]) -> Option<String> {
    let total = record.wall.0;
    let slow = |stretch: &&Stretch| stretch.duration() > Duration::from_secs(2) && stretch.duration() * 3 > total;
    let slowest = path.iter().filter(slow).max_by_key(|stretch| stretch.duration())?;
    let what = slowest.what.as_str();
    let builds = ["cargo build", "pip install", "npm install", "npm ci", "go build", "apt-get install"];
    if what.contains("load build context") {
        return Some(format!(
            "sending the context took {}; leave out what no image needs in .dockerignore",
            seconds(slowest.duration())
        ));
    }
    if what.starts_with("waiting for a slot") {
        return Some("images waited for each other; a larger -j may help".to_owned());
    }
    let tool = builds.iter().find(|tool| what.contains(**tool) && !what.contains("--mount=type=cache"))?;
    Some(format!(
        "`{tool}` took {} of {}; a cache mount would keep its work",
        seconds(slowest.duration()),
        seconds(total)
    ))
}

pub(crate) fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(90) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

fn short(digest: &str) -> &str {
    let digest = digest.strip_prefix("sha256:").unwrap_or(digest);
    &digest[..digest.len().min(12)]
}

pub(crate) fn seconds(duration: Duration) -> String {
    format!("{:.2} s", duration.as_secs_f64())
}

pub(crate) fn bytes(count: u64) -> String {
    let units = [("GB", 1e9), ("MB", 1e6), ("kB", 1e3)];
    let count = count as f64;
    match units.iter().find(|(_, size)| count >= *size) {
        Some((unit, size)) => format!("{:.1} {unit}", count / size),
        None => format!("{count} B"),
    }
}
