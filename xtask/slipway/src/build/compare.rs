//! `slipway build compare A B`: which images took longer in B, and why.

use std::{process::ExitCode, time::Duration};

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use tabled::{
    builder::Builder,
    settings::{Alignment, Modify, Style, object::Columns},
};
use tasks::output;

use crate::timings::{StepOutcome, StoredBuild, StoredImage, bytes, find_build, one_line, seconds};

/// Milliseconds that are no reason by themselves.
const NOISE_MS: f64 = 50.0;
/// Bytes of a context that are none either.
const NOISE_BYTES: u64 = 10_000;

#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// A build's number in `history`, or a build.json, or the folder that holds one
    #[arg(value_name = "A")]
    before: String,
    /// The build to compare with it
    #[arg(value_name = "B")]
    after: String,
    /// Print the comparison as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Comparison {
    before_ms: f64,
    after_ms: f64,
    images: Vec<ImageComparison>,
}

#[derive(Serialize)]
struct ImageComparison {
    name: String,
    /// None where the build does not have the image.
    before_ms: Option<f64>,
    after_ms: Option<f64>,
    /// What made it slower; what costs most comes first.
    reasons: Vec<Reason>,
}

#[derive(Serialize)]
struct Reason {
    /// What it cost; zero where that is not known.
    ms: f64,
    what: String,
}

pub(super) fn run(args: &CompareArgs) -> Result<ExitCode> {
    let comparison = compare(&find_build(&args.before)?, &find_build(&args.after)?);
    if args.json {
        output::print_json(&comparison)?;
    } else {
        output::print(&render(&comparison, args))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn compare(before: &StoredBuild, after: &StoredBuild) -> Comparison {
    let mut names: Vec<&String> = before.images.iter().chain(&after.images).map(|image| &image.name).collect();
    names.sort();
    names.dedup();
    let images = names.into_iter().map(|name| {
        let (before, after) = (before.image(name), after.image(name));
        ImageComparison {
            name: name.clone(),
            before_ms: before.map(StoredImage::wall_ms),
            after_ms: after.map(StoredImage::wall_ms),
            reasons: before.zip(after).map(|(before, after)| reasons(before, after)).unwrap_or_default(),
        }
    });
    Comparison { before_ms: before.wall_ms, after_ms: after.wall_ms, images: images.collect() }
}

fn reasons(before: &StoredImage, after: &StoredImage) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if before.outcome != after.outcome {
        let because = Some(&after.solved_because).filter(|because| !because.is_empty());
        let because = because.map(|because| format!(", because {because}")).unwrap_or_default();
        reasons.push(Reason { ms: 0.0, what: format!("it was {} and is {}{because}", before.outcome, after.outcome) });
    }
    if after.context_bytes > before.context_bytes + NOISE_BYTES {
        let (before, after) = (bytes(before.context_bytes), bytes(after.context_bytes));
        reasons.push(Reason { ms: 0.0, what: format!("{after} of its contexts were sent, and {before} before") });
    }
    let earlier = before.steps();
    for (name, (outcome, work)) in after.steps() {
        let (was, took) = earlier.get(name).copied().unwrap_or((StepOutcome::NotRun, 0.0));
        let name = one_line(name);
        let what = match (was, outcome) {
            (StepOutcome::Ran, _) => format!("{name}: took longer"),
            (StepOutcome::NotRun, StepOutcome::Ran) => format!("{name}: ran; it is new"),
            (StepOutcome::Cached, StepOutcome::Ran) => format!("{name}: ran; it was cached"),
            (StepOutcome::Shared, StepOutcome::Ran) => format!("{name}: ran; another image had run it"),
            (StepOutcome::Cached, StepOutcome::Shared) => format!("{name}: another image ran it; it was cached"),
            _ => format!("{name}: was waited for longer"),
        };
        cost(&mut reasons, work - took, what);
    }
    cost(&mut reasons, after.waiting_ms - before.waiting_ms, "waiting for the engine".to_owned());
    reasons.sort_by(|one, other| other.ms.total_cmp(&one.ms));
    reasons
}

fn cost(reasons: &mut Vec<Reason>, ms: f64, what: String) {
    if ms >= NOISE_MS {
        reasons.push(Reason { ms, what });
    }
}

fn render(comparison: &Comparison, args: &CompareArgs) -> String {
    let mut table = Builder::default();
    table.push_record(["image", &args.before, &args.after, "change"]);
    for image in &comparison.images {
        let change = image.before_ms.zip(image.after_ms).map(|(before, after)| signed(after - before));
        let shown = |ms: Option<f64>| ms.map(milliseconds).unwrap_or_default();
        table.push_record([
            image.name.clone(),
            shown(image.before_ms),
            shown(image.after_ms),
            change.unwrap_or_default(),
        ]);
    }
    let (before, after) = (comparison.before_ms, comparison.after_ms);
    table.push_record(["whole build".to_owned(), milliseconds(before), milliseconds(after), signed(after - before)]);
    let mut table = table.build();
    table.with(Style::sharp()).with(Modify::new(Columns::new(1..4)).with(Alignment::right()));
    let mut text = format!("{table}\n");
    for image in comparison.images.iter().filter(|image| !image.reasons.is_empty()) {
        text.push_str(&format!("{}:\n", image.name));
        for reason in &image.reasons {
            let cost = if reason.ms == 0.0 { String::new() } else { signed(reason.ms) };
            text.push_str(&format!("  {cost:>10}  {}\n", reason.what));
        }
    }
    text
}

fn milliseconds(ms: f64) -> String {
    seconds(Duration::from_secs_f64(ms / 1e3))
}

fn signed(ms: f64) -> String {
    format!("{}{}", if ms < 0.0 { '-' } else { '+' }, milliseconds(ms.abs()))
}
