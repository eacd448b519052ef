//! The `verbose_json` of OpenAI's transcription and translation APIs.

use std::io::{self, Write};

use serde::Serialize;

use crate::{
    formats::languages::language_name,
    job::SpeechTask,
    result::{JobResult, Provenance, ResultHead, ResultPieces},
    transcript::{Segment, Word},
};

/// A result in that shape.
#[derive(Serialize)]
pub struct VerboseJson<'a> {
    task: SpeechTask,
    /// The language's English name in lower case, or its code where that has no name.
    language: &'a str,
    duration: f64,
    text: &'a str,
    /// Absent unless word times were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    words: Vec<ResponseWord<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    segments: Option<Vec<ResponseSegment<'a>>>,
}

#[derive(Serialize)]
struct ResponseWord<'a> {
    word: &'a str,
    start: f64,
    end: f64,
}

#[derive(Serialize)]
struct ResponseSegment<'a> {
    id: u32,
    /// The segment's beginning in the recogniser's frames of 10 ms.
    seek: u64,
    start: f64,
    end: f64,
    text: &'a str,
    tokens: &'a [u32],
    temperature: f32,
    avg_logprob: f32,
    compression_ratio: f32,
    no_speech_prob: f32,
}

impl<'a> VerboseJson<'a> {
    pub fn of(result: &'a JobResult) -> Self {
        let task = task(&result.provenance);
        Self {
            task,
            language: language(task, &result.language),
            duration: result.duration_s,
            text: &result.text,
            words: result.words().map(word).collect(),
            segments: Some(result.segments.iter().map(segment).collect()),
        }
    }

    /// For those that asked for the times of words alone.
    pub fn without_segments(self) -> Self {
        Self { segments: None, ..self }
    }
}

/// Writes a result in that shape while it is read, its words after its segments.
pub(super) struct VerboseWriter<'a, W> {
    out: &'a mut W,
    /// Whether the list of segments is begun, and that of words.
    has_segments: bool,
    has_words: bool,
}

impl<'a, W: Write> VerboseWriter<'a, W> {
    pub(super) fn begin(head: &ResultHead, out: &'a mut W) -> io::Result<Self> {
        let task = task(&head.provenance);
        out.write_all(b"{\"task\":")?;
        serde_json::to_writer(&mut *out, &task)?;
        out.write_all(b",\"language\":")?;
        serde_json::to_writer(&mut *out, language(task, &head.language))?;
        out.write_all(b",\"duration\":")?;
        serde_json::to_writer(&mut *out, &head.duration_s)?;
        Ok(Self { out, has_segments: false, has_words: false })
    }

    pub(super) fn end(self) -> io::Result<()> {
        self.out.write_all(if self.has_segments { b"]}\n" } else { b",\"segments\":[]}\n" })
    }
}

impl<W: Write> ResultPieces for VerboseWriter<'_, W> {
    fn text(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(b",\"text\":")?;
        Ok(serde_json::to_writer(&mut *self.out, text)?)
    }

    fn segment(&mut self, piece: Segment) -> io::Result<()> {
        let was_begun = std::mem::replace(&mut self.has_segments, true);
        self.out.write_all(if was_begun { b"," } else { b",\"segments\":[" })?;
        Ok(serde_json::to_writer(&mut *self.out, &segment(&piece))?)
    }

    fn word(&mut self, piece: Word) -> io::Result<()> {
        let was_begun = std::mem::replace(&mut self.has_words, true);
        self.out.write_all(if was_begun { b"," } else { b"],\"words\":[" })?;
        Ok(serde_json::to_writer(&mut *self.out, &word(&piece))?)
    }
}

fn task(provenance: &Provenance) -> SpeechTask {
    provenance.parameters.as_ref().map_or(SpeechTask::Transcribe, |speech| speech.task)
}

fn language(task: SpeechTask, spoken: &str) -> &str {
    match task {
        SpeechTask::Transcribe => language_name(spoken).unwrap_or(spoken),
        // The language of the text, which is what OpenAI's API tells here.
        SpeechTask::Translate => "english",
    }
}

fn word(word: &Word) -> ResponseWord<'_> {
    ResponseWord { word: &word.word, start: word.start, end: word.end }
}

fn segment(segment: &Segment) -> ResponseSegment<'_> {
    const FRAMES_PER_SECOND: f64 = 100.0;
    ResponseSegment {
        id: segment.id,
        seek: (segment.start * FRAMES_PER_SECOND) as u64,
        start: segment.start,
        end: segment.end,
        text: &segment.text,
        tokens: &segment.tokens,
        temperature: segment.temperature,
        avg_logprob: segment.avg_logprob,
        compression_ratio: segment.compression_ratio,
        no_speech_prob: segment.no_speech_prob,
    }
}
