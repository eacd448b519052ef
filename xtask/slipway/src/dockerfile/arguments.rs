//! `$NAME`, `${NAME}`, `${NAME:-default}` and `${NAME:+alternative}` in an instruction.

/// Fills in what `value_of` knows; what it does not know stays as it is written.
pub(super) fn expand(text: &str, value_of: &dyn Fn(&str) -> Option<String>) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some(dollar) = rest.find('$') {
        let escaped = rest[..dollar].ends_with('\\');
        expanded.push_str(&rest[..dollar]);
        rest = &rest[dollar..];
        match reference(rest).filter(|_| !escaped) {
            Some((written, inside)) => {
                expanded.push_str(&resolve(inside, value_of).unwrap_or_else(|| written.to_owned()));
                rest = &rest[written.len()..];
            }
            None => {
                expanded.push('$');
                rest = &rest[1..];
            }
        }
    }
    expanded.push_str(rest);
    expanded
}

/// The reference at the beginning of the text, as it is written and without its braces.
fn reference(text: &str) -> Option<(&str, &str)> {
    let after = text.strip_prefix('$')?;
    if let Some(inside) = after.strip_prefix('{') {
        let end = closing_brace(inside)?;
        return Some((&text[..end + 3], &inside[..end]));
    }
    let end = name_end(after);
    (end > 0).then(|| (&text[..end + 1], &after[..end]))
}

fn closing_brace(inside: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, character) in inside.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn name_end(text: &str) -> usize {
    text.find(|character: char| !(character.is_ascii_alphanumeric() || character == '_')).unwrap_or(text.len())
}

fn resolve(inside: &str, value_of: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let (name, operator) = inside.split_at(name_end(inside));
    let value = value_of(name);
    let filled = value.clone().filter(|value| !value.is_empty());
    match operator.split_at_checked(operator.find(|character| character != ':').map_or(0, |at| at + 1)) {
        Some((":-", default)) => filled.or_else(|| Some(expand(default, value_of))),
        Some(("-", default)) => value.or_else(|| Some(expand(default, value_of))),
        Some((":+", other)) => Some(filled.map(|_| expand(other, value_of)).unwrap_or_default()),
        Some(("+", other)) => Some(value.map(|_| expand(other, value_of)).unwrap_or_default()),
        Some(("", "")) => value,
        _ => None,
    }
}
