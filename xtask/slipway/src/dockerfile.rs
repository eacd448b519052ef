//! Dockerfiles: the instructions with the lines they stand on, grouped into stages, with their
//! arguments filled in. It knows nothing of engines and compose files, and has no opinion of
//! what a good Dockerfile is.

mod arguments;
mod directives;
mod instruction;
mod logical_lines;
mod mount;
mod outside_images;
mod platform;
mod scope;
mod shell;

use std::{collections::BTreeMap, fmt, ops::RangeInclusive};

pub(crate) use directives::Frontend;
pub(crate) use instruction::{Copy, Form, Instruction, Kind, Run, squeezed};
use logical_lines::LogicalLines;
pub(crate) use mount::Mount;
pub(crate) use platform::architecture;
use scope::Scope;
pub(crate) use scope::absolute;

#[derive(Debug)]
pub(crate) struct Dockerfile {
    /// The character that continues a line.
    pub(crate) escape: char,
    pub(crate) stages: Vec<Stage>,
}

#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) name: Option<String>,
    /// What it begins with: the image, or the name of the stage.
    pub(crate) base: String,
    /// The number of the stage that it begins with; none where that is an image.
    pub(crate) base_stage: Option<usize>,
    /// The lines of its FROM, counted from 1.
    pub(crate) lines: RangeInclusive<usize>,
    pub(crate) instructions: Vec<Instruction>,
}

/// A text that is no Dockerfile.
#[derive(Debug, PartialEq)]
pub(crate) struct SyntaxError {
    /// Counted from 1.
    pub(crate) line: usize,
    pub(crate) message: String,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for SyntaxError {}

impl Dockerfile {
    /// Parses a Dockerfile as it is built with these arguments.
    pub(crate) fn parse(text: &str, arguments: &BTreeMap<String, String>) -> Result<Dockerfile, SyntaxError> {
        let lines = LogicalLines::read(text)?;
        let mut dockerfile = Dockerfile { escape: lines.escape, stages: Vec::new() };
        let mut global = Scope::global(arguments);
        let mut ends: Vec<Scope> = Vec::new();
        let mut scope = global.clone();
        for line in &lines.lines {
            if line.keyword() == "FROM" {
                let (base, name) = instruction::from(line, &global)?;
                let base_stage = dockerfile.stage(&base);
                scope = base_stage.map_or_else(|| global.stage(), |index| ends[index].inherited(&global));
                let lines = line.lines.clone();
                dockerfile.stages.push(Stage { name, base, base_stage, lines, instructions: Vec::new() });
                ends.push(scope.clone());
                continue;
            }
            let (Some(stage), Some(end)) = (dockerfile.stages.last_mut(), ends.last_mut()) else {
                global.declare_global(line)?;
                continue;
            };
            stage.instructions.push(Instruction::read(line, &mut scope)?);
            end.clone_from(&scope);
        }
        if dockerfile.stages.is_empty() {
            return Err(SyntaxError { line: 1, message: "there is no FROM".to_owned() });
        }
        Ok(dockerfile)
    }

    /// The number of the stage of this name, or with this number.
    pub(crate) fn stage(&self, name: &str) -> Option<usize> {
        let is_named = |stage: &Stage| stage.name.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(name));
        self.stages
            .iter()
            .rposition(is_named)
            .or_else(|| name.parse().ok().filter(|number| *number < self.stages.len()))
    }

    /// The numbers of a stage and of those that it is built on, the first one first.
    pub(crate) fn lineage(&self, stage: usize) -> Vec<usize> {
        let mut numbers: Vec<usize> =
            std::iter::successors(Some(stage), |number| self.stages[*number].base_stage).collect();
        numbers.reverse();
        numbers
    }

    /// What has been done when an instruction of a stage begins, earlier stages first.
    pub(crate) fn before(&self, stage: usize, position: usize) -> Vec<&Instruction> {
        let mut numbers = self.lineage(stage);
        numbers.pop();
        let earlier = numbers.into_iter().flat_map(|number| &self.stages[number].instructions);
        earlier.chain(&self.stages[stage].instructions[..position]).collect()
    }

    /// Every RUN with the numbers of its stage and of its place in it.
    pub(crate) fn runs(&self) -> impl Iterator<Item = (usize, usize, &Instruction, &Run)> {
        self.stages.iter().enumerate().flat_map(|(number, stage)| {
            stage.instructions.iter().enumerate().filter_map(move |(position, instruction)| match &instruction.kind {
                Kind::Run(run) => Some((number, position, instruction, run)),
                _ => None,
            })
        })
    }

    /// Every COPY and ADD.
    pub(crate) fn copies(&self) -> impl Iterator<Item = (&Instruction, &Copy)> {
        self.stages.iter().flat_map(|stage| &stage.instructions).filter_map(|instruction| match &instruction.kind {
            Kind::Copy(copy) => Some((instruction, copy)),
            _ => None,
        })
    }
}
