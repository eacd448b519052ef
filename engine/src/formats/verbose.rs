//! The `verbose_json` of OpenAI's transcription and translation APIs.

use serde::Serialize;

use crate::{
    formats::languages::language_name,
    job::SpeechTask,
    result::JobResult,
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
        let task = result.provenance.parameters.as_ref().map_or(SpeechTask::Transcribe, |speech| speech.task);
        Self {
            task,
            language: match task {
                SpeechTask::Transcribe => language_name(&result.language).unwrap_or(&result.language),
                // The language of the text, which is what OpenAI's API tells here.
                SpeechTask::Translate => "english",
            },
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
