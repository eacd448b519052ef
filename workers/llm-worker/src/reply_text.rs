//! What models put around their answers, taken off again. It knows nothing of models and calls.

/// Titles are no longer than this, in characters.
const LONGEST_TITLE: usize = 80;

/// An answer without the thoughts that some models print before it.
pub(crate) fn without_thoughts(text: &str) -> &str {
    let text = text.trim();
    match text.strip_prefix("<think>").map(|thoughts| thoughts.split_once("</think>")) {
        Some(Some((_, answer))) => answer.trim(),
        Some(None) => "",
        None => text,
    }
}

/// The whole sentences of an answer that was cut off in the last one.
pub(crate) fn whole_sentences(text: &str) -> &str {
    let is_end = |character| matches!(character, '.' | '!' | '?' | '…' | '。' | '！' | '？' | '।' | '؟');
    text.rmatch_indices(is_end).next().map_or("", |(at, end)| &text[..at + end.len()])
}

/// The JSON value of an answer, which may have words or a fence around it.
pub(crate) fn json(text: &str) -> Result<serde_json::Value, serde_json::Error> {
    serde_json::from_str(text).or_else(|error| {
        let start = text.find(['{', '[']).unwrap_or(text.len());
        let mut values = serde_json::Deserializer::from_str(&text[start..]).into_iter();
        values.next().unwrap_or(Err(error))
    })
}

/// A title out of a model's answer: one line without quotes, label and full stop.
pub(crate) fn title(answer: &str) -> Option<String> {
    let line = without_thoughts(answer).lines().map(bare).find(|line| !line.is_empty())?;
    let line = ["Title:", "Headline:"].into_iter().find_map(|label| line.strip_prefix(label)).map_or(line, bare);
    let line = line.split_once(". ").map_or(line, |(first, _)| bare(first));
    (!line.is_empty()).then(|| shortened(line))
}

/// A text's first words, for want of a better title.
pub(crate) fn opening(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().take(8).collect();
    shortened(bare(&words.join(" ")))
}

fn bare(line: &str) -> &str {
    line.trim_matches(|character: char| character.is_whitespace() || "\"'“”„«»*#_.".contains(character))
}

fn shortened(line: &str) -> String {
    let Some((end, _)) = line.char_indices().nth(LONGEST_TITLE) else { return line.to_owned() };
    let end = line[..end].rfind(char::is_whitespace).unwrap_or(end);
    line[..end].trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{json, title, whole_sentences, without_thoughts};

    #[test]
    fn answers_are_freed_of_what_is_around_them() {
        for (answer, bare) in [
            (" A word. ", "A word."),
            ("<think>\nHm.\n</think>\n\nA word.", "A word."),
            ("<think>never ending", ""),
            ("", ""),
        ] {
            assert_eq!(without_thoughts(answer), bare, "{answer:?}");
        }
        for (answer, whole) in
            [("One. Two is cut", "One."), ("Eins! Zwei", "Eins!"), ("一。二", "一。"), ("no sentence", "")]
        {
            assert_eq!(whole_sentences(answer), whole, "{answer:?}");
        }
        for (answer, bare) in [
            ("Budget talks", Some("Budget talks")),
            ("Title: \"Budget talks.\"\n\nThis title says", Some("Budget talks")),
            ("\n**Budget talks**", Some("Budget talks")),
            ("Headline: The budget grows. So do the taxes", Some("The budget grows")),
            ("<think>Hm</think>Budget", Some("Budget")),
            ("\"\"", None),
            (" \n", None),
        ] {
            assert_eq!(title(answer).as_deref(), bare, "{answer:?}");
        }
        assert_eq!(title(&"word ".repeat(40)).unwrap().len(), 79);
    }

    #[test]
    fn json_is_found_in_its_wrapping() {
        for (answer, value) in [
            (r#"{"a":1}"#, Some(r#"{"a":1}"#)),
            ("```json\n[1, 2]\n```", Some("[1,2]")),
            ("Here it is: {\"a\": [1]} as asked.", Some(r#"{"a":[1]}"#)),
            ("true", Some("true")),
            (r#"{"a":"#, None),
            ("no", None),
            ("", None),
        ] {
            assert_eq!(json(answer).ok().map(|value| value.to_string()).as_deref(), value, "{answer:?}");
        }
    }
}
