//! Comments that silence rules for what stands below them: `# lint: ignore=RULE,RULE`, in any file
//! that a finding is in. Those written for hadolint count, too.

use std::{collections::BTreeMap, path::PathBuf};

use super::{
    finding::{Finding, Report},
    project::LintedProject,
};

/// Takes out the findings that are silenced.
pub(crate) fn apply(project: &LintedProject, report: &mut Report) {
    let mut texts: BTreeMap<PathBuf, Vec<String>> = BTreeMap::new();
    for finding in &report.findings {
        texts.entry(finding.file.clone()).or_insert_with(|| {
            let text = std::fs::read_to_string(&finding.file).unwrap_or_default();
            text.lines().map(str::to_owned).collect()
        });
    }
    report.findings.retain(|finding| {
        let lines = &texts[&finding.file];
        let starts = instruction_starts(project, finding);
        !starts.into_iter().any(|line| names_above(lines, line).iter().any(|name| finding.rule.is_called(name)))
    });
}

/// The finding's own first line and, where it is within an instruction, that one's.
fn instruction_starts(project: &LintedProject, finding: &Finding) -> Vec<usize> {
    let own = *finding.lines.start();
    let images = project.images.iter().filter(|image| image.source.file == finding.file);
    let around = images.flat_map(|image| {
        let instructions = image.dockerfile.stages.iter().flat_map(|stage| &stage.instructions);
        instructions.map(|instruction| image.source.lines(&instruction.lines))
    });
    around.filter(|lines| lines.contains(&own)).map(|lines| *lines.start()).chain([own]).collect()
}

/// What the comments directly above a line, or at its end, silence.
fn names_above(lines: &[String], line: usize) -> Vec<String> {
    let above = lines[..line.saturating_sub(1).min(lines.len())].iter().rev();
    let comments = above.map_while(|line| line.trim().strip_prefix('#'));
    let at_end = lines.get(line.saturating_sub(1)).and_then(|line| Some(line.rsplit_once(" #")?.1));
    comments.chain(at_end).flat_map(names).collect()
}

fn names(comment: &str) -> Vec<String> {
    let comment = comment.trim();
    let rest = comment.strip_prefix("lint:").or_else(|| comment.strip_prefix("hadolint")).unwrap_or_default();
    let listed = rest.trim().strip_prefix("ignore=").unwrap_or_default();
    listed.split(',').map(|name| name.split_whitespace().next().unwrap_or_default().to_owned()).collect()
}
