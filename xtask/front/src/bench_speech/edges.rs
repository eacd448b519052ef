//! How far the times of words are off. The corpus has none, but when each of its prompts begins and ends to be
//! heard was measured (`benches/speech/edges.py`): that is where a first word begins and a last one ends.

use std::fs;

use anyhow::Context;
use serde::Deserialize;

use crate::workspace;

/// A word further than this from its prompt belongs to another one, in seconds.
const REACH_S: f64 = 0.3;

#[derive(Deserialize)]
pub(crate) struct Word {
    start: f64,
    end: f64,
}

/// Seconds from the beginning of the recording.
#[derive(Debug, PartialEq)]
struct Prompt {
    begin: f64,
    end: f64,
}

/// The distance in seconds of each prompt's first and last word from where they are heard. None for recordings
/// whose prompts were not measured.
pub(crate) fn errors(recording: &str, words: &[Word]) -> anyhow::Result<Option<Vec<f64>>> {
    let path = workspace::root().join(format!("benches/speech/{recording}-edges.tsv"));
    if !path.exists() {
        return Ok(None);
    }
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let prompts = parse(&text).with_context(|| format!("{} is not understood", path.display()))?;
    Ok(Some(prompts.iter().flat_map(|prompt| distances(prompt, words)).collect()))
}

fn parse(text: &str) -> Option<Vec<Prompt>> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let prompts = lines.map(|line| {
        let mut fields = line.split('\t').map(str::parse);
        Some(Prompt { begin: fields.next()?.ok()?, end: fields.next()?.ok()? })
    });
    prompts.collect()
}

fn distances(prompt: &Prompt, words: &[Word]) -> Vec<f64> {
    let belongs = |word: &&Word| {
        let middle = f64::midpoint(word.start, word.end);
        (prompt.begin - REACH_S..=prompt.end + REACH_S).contains(&middle)
    };
    let first = words.iter().find(belongs).map(|word| (word.start - prompt.begin).abs());
    let last = words.iter().rfind(belongs).map(|word| (word.end - prompt.end).abs());
    first.into_iter().chain(last).collect()
}

#[cfg(test)]
mod tests {
    use super::{Prompt, Word, distances, parse};

    #[test]
    fn first_and_last_words_are_held_against_their_prompt() {
        let prompts = parse("# begin_s\tend_s\tclip\n1.0\t2.5\ta.flac\n4.0\t5.0\tb.flac\n").unwrap();
        let words = [(0.75, 1.25), (1.25, 2.0), (2.0, 2.75), (3.5, 3.75)].map(|(start, end)| Word { start, end });
        assert_eq!(prompts[1], Prompt { begin: 4.0, end: 5.0 });
        for (prompt, expected) in prompts.iter().zip([vec![0.25, 0.25], vec![]]) {
            assert_eq!(distances(prompt, &words), expected, "{prompt:?}");
        }
    }
}
