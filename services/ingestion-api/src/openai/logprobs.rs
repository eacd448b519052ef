//! How sure the recogniser was, in the shape of OpenAI's API, whose tokens are words here: that is what it tells of.

use engine::transcript::Segment;
use serde::Serialize;
use utoipa::ToSchema;

/// A word and the natural logarithm of its probability.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(super) struct LogProb {
    token: String,
    logprob: f32,
    bytes: Vec<u8>,
}

/// The smallest that JSON's readers can be sure to take, for words of no probability at all.
const LEAST: f32 = -100.0;

/// Those of all words. Together their tokens are the segments' text.
pub(super) fn of(segments: &[Segment]) -> Vec<LogProb> {
    segments.iter().flat_map(of_segment).collect()
}

/// Takes away the space at the beginning, which a text does not have.
pub(super) fn trim_start(logprobs: &mut [LogProb]) {
    if let Some(first) = logprobs.first_mut() {
        first.set(first.token.trim_start().to_owned());
    }
}

/// As [`of`], of a whole text: without the space around it.
pub(super) fn of_text(segments: &[Segment]) -> Vec<LogProb> {
    let mut all = of(segments);
    trim_start(&mut all);
    if let Some(last) = all.last_mut() {
        last.set(last.token.trim_end().to_owned());
    }
    all
}

/// The segment as one token where its words are not in its text.
fn of_segment(segment: &Segment) -> Vec<LogProb> {
    of_words(segment).unwrap_or_else(|| vec![LogProb::new(segment.text.clone(), segment.avg_logprob)])
}

/// Each word with what stands before it, the last one also with what is left.
fn of_words(segment: &Segment) -> Option<Vec<LogProb>> {
    let mut rest = segment.text.as_str();
    let mut all = Vec::with_capacity(segment.words.len());
    for word in &segment.words {
        let end = rest.find(&word.word)? + word.word.len();
        all.push(LogProb::new(rest[..end].to_owned(), word.probability.ln()));
        rest = &rest[end..];
    }
    let last = all.last_mut()?;
    last.set(format!("{}{rest}", last.token));
    Some(all)
}

impl LogProb {
    fn new(token: String, logprob: f32) -> Self {
        Self { bytes: token.as_bytes().to_vec(), token, logprob: logprob.max(LEAST) }
    }

    fn set(&mut self, token: String) {
        self.bytes = token.as_bytes().to_vec();
        self.token = token;
    }
}
