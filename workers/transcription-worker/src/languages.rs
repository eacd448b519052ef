//! Which language is spoken where, in a recording whose language is detected.
//!
//! A chunk is heard as a whole first. Where its neighbours speak another language, or nothing is sure, it is heard once
//! more piece by piece, and the languages of the pieces are those that are likely one after the other: a language seldom
//! changes. All of it depends on the sound of the chunk and of its neighbours alone, so a chunk's languages are the same
//! whichever worker finds them, and whatever was found before.

use std::ops::Range;

use engine::transcript::HeardLanguage;

mod path;
mod pieces;

pub(crate) use path::Stretch;
pub(crate) use pieces::pieces;

/// What is spoken where nothing tells.
pub(crate) const UNKNOWN: &str = "en";

/// Languages that are less likely, in thousandths, are left out.
const NEGLIGIBLE: u32 = 10;

/// A run of pieces that are spoken in one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// In samples of the chunk.
    pub(crate) samples: Range<usize>,
    pub(crate) language: String,
}

/// What was heard, the likeliest language first. Only those of `among` are possible, where it names any.
pub(crate) fn heard(probabilities: &[(String, f32)], among: &[String]) -> Vec<HeardLanguage> {
    let is_possible = |language: &String| among.is_empty() || among.contains(language);
    let possible: Vec<_> = probabilities.iter().filter(|(language, _)| is_possible(language)).collect();
    let sum: f32 = possible.iter().map(|(_, probability)| probability).sum();
    let permille = |probability: f32| (1000.0 * probability / sum).round() as u32;
    let heard = possible
        .into_iter()
        .map(|(language, probability)| HeardLanguage { language: language.clone(), permille: permille(*probability) });
    let mut heard: Vec<_> = heard.filter(|heard| heard.permille >= NEGLIGIBLE).collect();
    heard.sort_by(|left, right| right.permille.cmp(&left.permille).then_with(|| left.language.cmp(&right.language)));
    heard
}

/// The likeliest one.
pub(crate) fn likeliest(heard: &[HeardLanguage]) -> Option<&str> {
    heard.first().map(|heard| heard.language.as_str())
}

/// Whether a chunk has to be heard piece by piece: it may have more than one language.
pub(crate) fn is_doubtful(chunk: &[HeardLanguage], neighbours: [&[HeardLanguage]; 2]) -> bool {
    let Some(language) = surely(chunk) else { return !chunk.is_empty() };
    neighbours.into_iter().filter_map(surely).any(|other| other != language)
}

/// The language that is likelier than all others together.
fn surely(heard: &[HeardLanguage]) -> Option<&str> {
    heard.first().filter(|heard| heard.permille > 500).map(|heard| heard.language.as_str())
}

/// The languages of a chunk's pieces, which follow each other without a gap. The stretches before and after it are what
/// its neighbours say.
pub(crate) fn parts(before: &Stretch, pieces: &[(Range<usize>, Stretch)], after: &Stretch) -> Vec<Part> {
    let stretches: Vec<&Stretch> =
        std::iter::once(before).chain(pieces.iter().map(|(_, stretch)| stretch)).chain([after]).collect();
    let languages = path::likeliest(&stretches);
    let mut parts: Vec<Part> = Vec::new();
    for ((samples, _), language) in pieces.iter().zip(&languages[1..]) {
        match parts.last_mut() {
            Some(last) if last.language == *language => last.samples.end = samples.end,
            _ => parts.push(Part { samples: samples.clone(), language: (*language).to_owned() }),
        }
    }
    parts
}

#[cfg(test)]
mod tests;
