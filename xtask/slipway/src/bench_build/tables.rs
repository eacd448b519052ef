//! The report as text: for the terminal, and as Markdown.

use tabled::{
    Table,
    builder::Builder,
    settings::{Alignment, Modify, Style, object::Columns},
};

use super::{
    against_host::{AgainstHost, LARGEST_RATIO, LARGEST_REST_S},
    report::{CaseResult, Report, SeedRow},
    statistics::Summary,
    variant::Variant,
};
use crate::name::Name;

/// The first table, and under it everything else.
pub(super) fn terminal(report: &Report) -> String {
    render(report, |mut table| table.with(Style::sharp()).to_string())
}

pub(super) fn markdown(report: &Report) -> String {
    format!(
        "# Builds of {}\n\n{}",
        report.project,
        render(report, |mut table| table.with(Style::markdown()).to_string())
    )
}

fn render(report: &Report, draw: impl Fn(Table) -> String) -> String {
    let mut parts = Vec::new();
    if report.variants.contains(&Variant::Before) && !report.seed_table.is_empty() {
        parts.push("A service's image after one line of its code has changed (medians):".to_owned());
        parts.push(draw(seed_table(&report.seed_table)));
    }
    if report.results.iter().any(|result| result.against_host.is_some()) {
        parts.push(format!(
            "The same programs built on the host, without images (medians); after a change of sources, images may take \
             {LARGEST_RATIO} times as long and {LARGEST_REST_S} s:"
        ));
        parts.push(draw(against_host(&report.results)));
    }
    if !report.results.is_empty() {
        parts.push(format!(
            "Everything that was measured, median ± median absolute deviation; in brackets, how many times as long \
             as `{} build`:",
            Name::typed()
        ));
        parts.push(draw(results(report)));
    }
    parts.push(notes(report));
    parts.join("\n\n") + "\n"
}

/// What could not be measured, and how the rest was.
pub(super) fn notes(report: &Report) -> String {
    let mut parts = Vec::new();
    if !report.not_measured.is_empty() {
        let lines = report.not_measured.iter().map(|reason| format!("- {reason}"));
        parts.push(format!("Not measured:\n\n{}", lines.collect::<Vec<_>>().join("\n")));
    }
    parts.push(description(report));
    parts.join("\n\n")
}

fn seed_table(rows: &[SeedRow]) -> Table {
    let mut table = Builder::default();
    table.push_record(["service", "before", "after", "improvement"]);
    for row in rows {
        let time = |seconds: Option<f64>| seconds.map_or("-".to_owned(), time);
        let improvement = row.improvement.map_or("-".to_owned(), |share| format!("{:.1} %", 100.0 * share));
        table.push_record([row.service.clone(), time(row.before_s), time(row.after_s), improvement]);
    }
    right_from_second_column(table)
}

fn against_host(results: &[CaseResult]) -> Table {
    let mut table = Builder::default();
    table.push_record(["what", "host", "images", "ratio", "limit", "holds"]);
    for result in results {
        let Some(AgainstHost { host_s, xtask_s, ratio, limit_s, holds }) = &result.against_host else { continue };
        let limit = limit_s.map_or("-".to_owned(), time);
        let holds = holds.map_or("-", |holds| if holds { "yes" } else { "no" });
        let ratio = format!("{ratio:.2}×");
        table.push_record([result.case.to_string(), time(*host_s), time(*xtask_s), ratio, limit, holds.to_owned()]);
    }
    right_from_second_column(table)
}

fn results(report: &Report) -> Table {
    let mut table = Builder::default();
    let names = report.variants.iter().map(|variant| variant.name().to_owned());
    table.push_record(["what".to_owned(), "runs".to_owned()].into_iter().chain(names));
    for result in &report.results {
        let runs = result.by_variant.values().map(|summary| summary.runs).min().unwrap_or_default();
        let cells = report.variants.iter().map(|variant| cell(result, *variant));
        table.push_record([result.case.to_string(), runs.to_string()].into_iter().chain(cells));
    }
    right_from_second_column(table)
}

fn cell(result: &CaseResult, variant: Variant) -> String {
    let Some(summary) = result.by_variant.get(&variant) else { return "-".to_owned() };
    let Summary { median_s, mad_s, .. } = summary;
    let text = format!("{} ± {mad_s:.2}", time(*median_s));
    match result.by_variant.get(&Variant::Xtask) {
        Some(ours) if variant != Variant::Xtask => format!("{text} ({:.1}×)", median_s / ours.median_s),
        _ => text,
    }
}

fn right_from_second_column(table: Builder) -> Table {
    let mut table = table.build();
    table.with(Modify::new(Columns::new(1..)).with(Alignment::right()));
    table
}

fn description(report: &Report) -> String {
    let (machine, tools) = (&report.machine, &report.tools);
    let state = if report.complete { "" } else { " The bench is not finished." };
    let rounds = if report.rounds == 1 { "1 round".to_owned() } else { format!("{} rounds", report.rounds) };
    format!(
        "{}, {} cores, {} MB, Linux {}, load {:.2} at the beginning. Engine {}, docker {}, buildx {}, compose {}.\n\
         {rounds}; in each, the variants take turns, and each round begins with another one.{state} Engines of the \
         bench's own build, one for the plain Dockerfiles and one for the optimised ones. Before each timed build, but \
         for the empty cache, the same variant has built the unchanged sources, and where it keeps what it compiles, \
         then the sources after an earlier change of the same line.",
        machine.cpu,
        machine.cores,
        machine.memory_mb,
        machine.kernel,
        machine.load,
        tools.engine,
        tools.docker,
        tools.buildx,
        tools.compose
    )
}

fn time(seconds: f64) -> String {
    format!("{seconds:.2} s")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::bench_build::machine::{Machine, Tools};
    use crate::bench_build::report::Measurement;
    use crate::bench_build::scenario::{Case, Scenario};

    /// Two rounds of three cases, one of them not yet measured everywhere.
    pub(in crate::bench_build) fn report() -> Report {
        let machine =
            Machine { cpu: "Example CPU".into(), cores: 2, memory_mb: 8000, kernel: "6.1".into(), load: 0.25 };
        let [engine, docker, buildx, compose] = ["28.5.2", "28.5.1", "0.29.1", "2.40.3"].map(str::to_owned);
        let tools = Tools { engine, docker, buildx, compose };
        let variants = [Variant::Before, Variant::Xtask, Variant::Bake, Variant::Host];
        let mut report = Report::new("shop", 2, &variants, machine, tools);
        report.began_unix_ms = 1_700_000_000_000;
        report.plan(&["till", "stock"], vec!["stock, one line of code changed: no change is named".to_owned()]);
        let code = Case { scenario: Scenario::Code, service: Some("till".to_owned()) };
        let library = Case { scenario: Scenario::Library, service: None };
        let no_op = Case { scenario: Scenario::NoOp, service: None };
        let times = [
            (&code, Variant::Before, [60.0, 64.0]),
            (&code, Variant::Xtask, [1.5, 1.7]),
            (&code, Variant::Bake, [2.4, 2.4]),
            (&code, Variant::Host, [1.25, 1.25]),
            (&library, Variant::Xtask, [9.0, 11.0]),
            (&library, Variant::Host, [6.0, 6.5]),
            (&no_op, Variant::Xtask, [0.25, 0.35]),
            (&no_op, Variant::Host, [0.25, 0.25]),
        ];
        for (case, variant, seconds) in times {
            for (round, seconds) in (1..).zip(seconds) {
                let programs_differ = Some(case.scenario != Scenario::NoOp);
                report.add(Measurement { case: case.clone(), variant, round, seconds, programs_differ });
            }
        }
        report
    }

    #[test]
    fn reports_are_rendered_as_recorded() {
        insta::assert_snapshot!("terminal", terminal(&report()));
        insta::assert_snapshot!("markdown", markdown(&report()));
        insta::assert_json_snapshot!("json", report());
    }
}
