//! A document for people: what it is of, what the language model made of it, and the text in paragraphs with their times.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use serde_json::Value;

use super::{
    answers::{answer, heading},
    subtitles::clock,
};
use crate::{
    languages::language_name,
    result::{JobResult, ResultHead},
    transcript::Segment,
};

/// A pause of so many seconds ends a paragraph.
const PAUSE: f64 = 2.0;
/// So many bytes end one with the next sentence.
const LONG: usize = 600;

/// What stands above the text.
pub(super) struct MarkdownHead<'a> {
    title: &'a str,
    language: &'a str,
    duration_s: f64,
    answers: &'a BTreeMap<String, Value>,
}

impl<'a> From<&'a JobResult> for MarkdownHead<'a> {
    fn from(result: &'a JobResult) -> Self {
        let JobResult { name, job_id, language, duration_s, llm, .. } = result;
        Self { title: name.as_ref().unwrap_or(job_id), language, duration_s: *duration_s, answers: llm }
    }
}

impl<'a> From<&'a ResultHead> for MarkdownHead<'a> {
    fn from(head: &'a ResultHead) -> Self {
        let ResultHead { name, job_id, language, duration_s, llm, .. } = head;
        Self { title: name.as_ref().unwrap_or(job_id), language, duration_s: *duration_s, answers: llm }
    }
}

/// Writes the document while the segments come.
pub(super) struct MarkdownWriter<'a, W> {
    out: &'a mut W,
    /// The paragraph that is being written.
    paragraph: Option<Paragraph>,
}

struct Paragraph {
    /// When its last segment ends.
    end: f64,
    channel: Option<u32>,
    length: usize,
    ends_sentence: bool,
}

impl<'a, W: Write> MarkdownWriter<'a, W> {
    pub(super) fn begin(head: &MarkdownHead<'_>, out: &'a mut W) -> io::Result<Self> {
        let MarkdownHead { title, language, duration_s, answers } = head;
        write!(out, "# {}\n\n{}", escaped(title), clock(*duration_s))?;
        if !language.is_empty() {
            write!(out, " · {}", language_name(language).unwrap_or(language))?;
        }
        writeln!(out)?;
        for (task, output) in *answers {
            write!(out, "\n## {}\n\n{}", heading(task), section(output))?;
        }
        if !answers.is_empty() {
            out.write_all(b"\n## Transcript\n")?;
        }
        Ok(Self { out, paragraph: None })
    }

    pub(super) fn segment(&mut self, segment: &Segment) -> io::Result<()> {
        let text = escaped(&segment.text);
        if text.is_empty() {
            return Ok(());
        }
        match self.paragraph.as_ref().filter(|paragraph| !paragraph.ends_before(segment)) {
            // Whisper's segments bring their own spaces, and none in languages that use none.
            Some(_) if segment.text.starts_with(' ') => write!(self.out, " {text}")?,
            Some(_) => write!(self.out, "{text}")?,
            None => self.begin_paragraph(segment, &text)?,
        }
        let length = self.paragraph.as_ref().map(|paragraph| paragraph.length).unwrap_or_default() + text.len();
        let ends_sentence = segment.text.trim_end().ends_with(['.', '!', '?', '…', '。', '！', '？']);
        self.paragraph = Some(Paragraph { end: segment.end, channel: segment.channel, length, ends_sentence });
        Ok(())
    }

    fn begin_paragraph(&mut self, segment: &Segment, text: &str) -> io::Result<()> {
        if self.paragraph.take().is_some() {
            writeln!(self.out)?;
        }
        let speaker = segment.channel.map(|channel| format!(" Channel {channel}:")).unwrap_or_default();
        write!(self.out, "\n**\\[{}\\]{speaker}** {}", clock(segment.start), text)
    }

    pub(super) fn end(self) -> io::Result<()> {
        if self.paragraph.is_some() { writeln!(self.out) } else { Ok(()) }
    }
}

impl Paragraph {
    fn ends_before(&self, next: &Segment) -> bool {
        let is_full = self.length > LONG && self.ends_sentence;
        is_full || next.start - self.end > PAUSE || next.channel != self.channel
    }
}

/// An answer: a text as the model wrote it, a list as a list, anything else as JSON.
fn section(output: &Value) -> String {
    match output {
        Value::String(_) => answer(output),
        Value::Array(items) if items.is_empty() => answer(output),
        Value::Array(_) => {
            let lines = answer(output);
            lines.lines().map(|line| format!("- {}\n", line.trim_start_matches("- "))).collect()
        }
        _ => format!("```json\n{output:#}\n```\n"),
    }
}

/// The text as it is, on one line, whatever it means to Markdown.
fn escaped(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for letter in text.split_whitespace().collect::<Vec<_>>().join(" ").chars() {
        match letter {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '&' | '~' => written.extend(['\\', letter]),
            letter => written.push(letter),
        }
    }
    written
}
