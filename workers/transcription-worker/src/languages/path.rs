//! The likeliest languages of stretches of speech that follow each other.

use std::collections::BTreeSet;

use engine::{plan::SAMPLE_RATE, transcript::HeardLanguage};

use super::UNKNOWN;

/// What a change of language costs, in natural logarithms of probability: more than one stretch of a few seconds can
/// say against it, and less than two.
const CHANGE: f64 = 6.0;
/// No stretch says more against a language than that it is so unlikely: what is heard in a few seconds is often wrong.
const LEAST_PERMILLE: u32 = 10;
/// Samples whose languages count once; longer stretches count the more.
const UNIT: f64 = 3.5 * SAMPLE_RATE as f64;

/// What was heard in a stretch of speech.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stretch {
    pub(crate) samples: usize,
    /// Nothing where it is silent.
    pub(crate) heard: Vec<HeardLanguage>,
}

impl Stretch {
    /// Of what was heard elsewhere: it decides where little else does.
    pub(crate) fn hint(heard: Vec<HeardLanguage>) -> Self {
        Self { samples: (UNIT / 3.0) as usize, heard }
    }

    /// The logarithm of the language's probability.
    fn score(&self, language: &str) -> f64 {
        if self.heard.is_empty() {
            return 0.0;
        }
        let heard = self.heard.iter().find(|heard| heard.language == language);
        let permille = heard.map_or(LEAST_PERMILLE, |heard| heard.permille.max(LEAST_PERMILLE));
        self.samples as f64 / UNIT * (f64::from(permille) / 1000.0).ln()
    }
}

/// One language for each stretch: those that are likeliest together (Viterbi's algorithm).
pub(super) fn likeliest<'a>(stretches: &[&'a Stretch]) -> Vec<&'a str> {
    let languages: BTreeSet<&str> =
        stretches.iter().flat_map(|stretch| &stretch.heard).map(|heard| heard.language.as_str()).collect();
    let languages: Vec<&str> = languages.into_iter().collect();
    if languages.is_empty() {
        return vec![UNKNOWN; stretches.len()];
    }
    let mut scores = vec![0.0; languages.len()];
    // For each stretch and language, the language of the stretch before it.
    let mut before: Vec<Vec<usize>> = Vec::new();
    for stretch in stretches {
        let best = highest(&scores);
        let from: Vec<usize> =
            (0..scores.len()).map(|own| if scores[own] >= scores[best] - CHANGE { own } else { best }).collect();
        let reached = from.iter().enumerate().map(|(own, from)| {
            let change = if own == *from { 0.0 } else { CHANGE };
            scores[*from] - change + stretch.score(languages[own])
        });
        scores = reached.collect();
        before.push(from);
    }
    let mut language = highest(&scores);
    let mut path = Vec::with_capacity(stretches.len());
    for before in before.iter().rev() {
        path.push(languages[language]);
        language = before[language];
    }
    path.reverse();
    path
}

/// The first of the highest ones.
fn highest(scores: &[f64]) -> usize {
    (0..scores.len()).reduce(|best, next| if scores[next] > scores[best] { next } else { best }).unwrap_or_default()
}
