//! A Dockerfile's text as logical lines: continued lines joined, comments dropped, here-documents
//! attached to the line that opens them.

use std::ops::RangeInclusive;

use super::{
    SyntaxError, directives,
    shell::{words, words_as_written},
};

#[derive(Debug)]
pub(super) struct LogicalLines {
    pub(super) escape: char,
    pub(super) lines: Vec<LogicalLine>,
}

#[derive(Debug)]
pub(super) struct LogicalLine {
    /// Counted from 1, here-documents included.
    pub(super) lines: RangeInclusive<usize>,
    /// Without line breaks and the characters that escape them.
    pub(super) text: String,
    /// The contents, in the order of their names.
    pub(super) here_docs: Vec<String>,
}

impl LogicalLine {
    /// The instruction's name in capitals.
    pub(super) fn keyword(&self) -> String {
        self.text.split_whitespace().next().unwrap_or_default().to_ascii_uppercase()
    }

    /// What follows the name.
    pub(super) fn rest(&self) -> &str {
        let text = self.text.trim();
        text.split_once(char::is_whitespace).map_or("", |(_, rest)| rest.trim())
    }

    pub(super) fn error(&self, message: impl Into<String>) -> SyntaxError {
        SyntaxError { line: *self.lines.start(), message: message.into() }
    }
}

impl LogicalLines {
    pub(super) fn read(text: &str) -> Result<LogicalLines, SyntaxError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let escape = directives::escape(text);
        let mut physical = Physical { lines: text.lines().collect(), next: 0 };
        let mut lines = Vec::new();
        while let Some((number, first)) = physical.take() {
            if is_comment(first) || first.trim().is_empty() {
                continue;
            }
            let mut line = LogicalLine { lines: number..=number, text: String::new(), here_docs: Vec::new() };
            let mut last = number;
            let mut piece = first;
            while let Some(continued) = without_escape(piece, escape) {
                line.text.push_str(continued);
                let Some((number, next)) = physical.take_continuation() else { break };
                (last, piece) = (number, next);
            }
            if without_escape(piece, escape).is_none() {
                line.text.push_str(piece);
            }
            for name in here_doc_names(&line) {
                let (end, content) = physical
                    .take_here_doc(&name)
                    .ok_or_else(|| line.error(format!("the here-document `{}` has no end", name.delimiter)))?;
                last = end;
                line.here_docs.push(content);
            }
            line.lines = number..=last;
            lines.push(line);
        }
        Ok(LogicalLines { escape, lines })
    }
}

struct Physical<'a> {
    lines: Vec<&'a str>,
    next: usize,
}

impl<'a> Physical<'a> {
    /// The next line and its number, counted from 1.
    fn take(&mut self) -> Option<(usize, &'a str)> {
        let line = self.lines.get(self.next)?;
        self.next += 1;
        Some((self.next, line))
    }

    /// Comments and empty lines do not end a continued line.
    fn take_continuation(&mut self) -> Option<(usize, &'a str)> {
        loop {
            let (number, line) = self.take()?;
            if !is_comment(line) && !line.trim().is_empty() {
                return Some((number, line));
            }
        }
    }

    fn take_here_doc(&mut self, name: &HereDocName) -> Option<(usize, String)> {
        let mut content = String::new();
        loop {
            let (number, line) = self.take()?;
            let line = if name.strips_tabs { line.trim_start_matches('\t') } else { line };
            if line == name.delimiter {
                return Some((number, content));
            }
            content.push_str(line);
            content.push('\n');
        }
    }
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with('#')
}

/// The line's text before the escape character at its end; none where it has none, or where that
/// is escaped itself.
fn without_escape(line: &str, escape: char) -> Option<&str> {
    line.trim_end().strip_suffix(escape).filter(|rest| !rest.ends_with(escape))
}

struct HereDocName {
    delimiter: String,
    strips_tabs: bool,
}

/// `<<NAME`, `<<-NAME` or `<<"NAME"` where an instruction may have a here-document.
fn here_doc_names(line: &LogicalLine) -> Vec<HereDocName> {
    let text = line.text.trim_start();
    let text = if line.keyword() == "ONBUILD" { line.rest() } else { text };
    let keyword = text.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
    if !matches!(keyword.as_str(), "RUN" | "COPY" | "ADD") {
        return Vec::new();
    }
    words_as_written(text).into_iter().filter_map(here_doc_name).collect()
}

fn here_doc_name(word: &str) -> Option<HereDocName> {
    let name = word.trim_start_matches(|character: char| character.is_ascii_digit()).strip_prefix("<<")?;
    let (name, strips_tabs) = name.strip_prefix('-').map_or((name, false), |rest| (rest, true));
    let name = words(name).concat();
    let is_name = !name.is_empty() && !name.contains('<');
    is_name.then_some(HereDocName { delimiter: name, strips_tabs })
}
