//! Variables in a Dockerfile's `FROM`, with the few forms that Dockerfiles know.

use std::collections::BTreeMap;

/// Replaces `$NAME`, `${NAME}`, `${NAME:-word}`, `${NAME:+word}` and the forms without a colon.
/// A variable that is not set counts as empty.
pub(super) fn expand(text: &str, values: &BTreeMap<String, String>) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some(dollar) = rest.find('$') {
        result.push_str(&rest[..dollar]);
        rest = &rest[dollar + 1..];
        if let Some(braced) = rest.strip_prefix('{') {
            let end = closing_brace(braced);
            result.push_str(&substitute(&braced[..end], values));
            rest = braced.get(end + 1..).unwrap_or_default();
        } else {
            let end = name_length(rest);
            result.push_str(values.get(&rest[..end]).map_or("", String::as_str));
            rest = &rest[end..];
        }
    }
    result + rest
}

/// The word after an operator may hold variables in braces of its own.
fn closing_brace(text: &str) -> usize {
    let mut depth = 1;
    for (index, character) in text.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return index;
        }
    }
    text.len()
}

fn name_length(text: &str) -> usize {
    text.find(|character: char| !(character.is_ascii_alphanumeric() || character == '_')).unwrap_or(text.len())
}

fn substitute(inner: &str, values: &BTreeMap<String, String>) -> String {
    let (name, operation) = inner.split_at(name_length(inner));
    let value = values.get(name);
    let filled = value.filter(|value| !value.is_empty());
    let or_else = |value: Option<&String>, word: &str| value.cloned().unwrap_or_else(|| expand(word, values));
    let instead = |value: Option<&String>, word: &str| value.map(|_| expand(word, values)).unwrap_or_default();
    match operation.split_at(operation.len().min(2)) {
        (":-", word) => or_else(filled, word),
        (":+", word) => instead(filled, word),
        _ => match operation.split_at(operation.len().min(1)) {
            ("-", word) => or_else(value, word),
            ("+", word) => instead(value, word),
            _ => value.cloned().unwrap_or_default(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_replaced() {
        let values = [("A", "one"), ("EMPTY", "")];
        let values = values.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let table = [
            ("debian:$A-slim", "debian:one-slim"),
            ("debian:${A}slim", "debian:oneslim"),
            ("${NONE:-two}/${EMPTY:-three}/${EMPTY-four}", "two/three/"),
            ("${A:+set}${NONE+set}${EMPTY:+set}", "set"),
            ("${NONE:-${A}-x}", "one-x"),
            ("$NONE", ""),
        ];
        for (text, expected) in table {
            assert_eq!(expand(text, &values), expected, "{text}");
        }
    }
}
