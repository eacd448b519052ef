//! Word error rate after the usual normalisation, as the corpus's own `wer.py` has it: case and
//! punctuation dropped, digits and number words made equal.

use strsim::generic_levenshtein;

/// Edits per word of the reference.
pub(crate) fn word_error_rate(reference: &str, hypothesis: &str) -> f64 {
    let (reference, hypothesis) = (words(reference), words(hypothesis));
    generic_levenshtein(&reference, &hypothesis) as f64 / reference.len().max(1) as f64
}

/// The words that count.
pub(crate) fn words(text: &str) -> Vec<String> {
    let text = without_asides(&text.to_lowercase().replace('-', " ").replace('’', "'").replace('&', " and "));
    let kept: String = text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '\'' { c } else { ' ' }).collect();
    kept.split_whitespace().map(|word| number(word).unwrap_or(word).replace('\'', "")).collect()
}

/// Drops what stands in brackets: `[music]`, `(laughs)`.
fn without_asides(text: &str) -> String {
    let mut kept = String::new();
    let mut closing = None;
    for c in text.chars() {
        match (closing, c) {
            (None, '[') => closing = Some(']'),
            (None, '(') => closing = Some(')'),
            (None, other) => kept.push(other),
            (Some(end), other) if end == other => {
                closing = None;
                kept.push(' ');
            }
            (Some(_), _) => {}
        }
    }
    kept
}

fn number(word: &str) -> Option<&'static str> {
    const NUMBERS: [(&str, &str); 12] = [
        ("zero", "0"),
        ("oh", "0"),
        ("one", "1"),
        ("two", "2"),
        ("three", "3"),
        ("four", "4"),
        ("five", "5"),
        ("six", "6"),
        ("seven", "7"),
        ("eight", "8"),
        ("nine", "9"),
        ("ten", "10"),
    ];
    NUMBERS.iter().find(|(name, _)| *name == word).map(|(_, digits)| *digits)
}

#[cfg(test)]
mod tests {
    use super::word_error_rate;

    #[test]
    fn counts_what_a_listener_would_count() {
        for (reference, hypothesis, rate) in [
            ("Please press four.", "please press 4", 0.0),
            ("the user's mail-box", "The users mail box", 0.0),
            ("one two three four", "one two four", 0.25),
            ("one two", "one [music] two (laughs)", 0.0),
            ("yes", "", 1.0),
            ("", "boo", 1.0),
        ] {
            assert_eq!(word_error_rate(reference, hypothesis), rate, "{reference:?} against {hypothesis:?}");
        }
    }
}
