//! `$NAME`, `${NAME}` and their operators, in every value of a compose file.

use anyhow::Result;

use super::{
    variables::Variables,
    yaml::{Node, Value},
};

/// Replaces every variable in the values below `node`; keys stay as they are.
pub(super) fn interpolate(node: &mut Node, variables: &Variables) -> Result<()> {
    match &mut node.value {
        Value::Null => Ok(()),
        Value::List(items) => items.iter_mut().try_for_each(|item| interpolate(item, variables)),
        Value::Map(entries) => entries.iter_mut().try_for_each(|(_, entry)| interpolate(entry, variables)),
        Value::Scalar(text) => {
            let expanded = expand(text, variables).map_err(|message| node.place.error(message))?;
            *text = expanded;
            Ok(())
        }
    }
}

/// In a `.env` file a stray `$` is a dollar.
pub(super) fn expand_leniently(text: &str, variables: &Variables) -> String {
    expand(text, variables).unwrap_or_else(|_| text.to_owned())
}

fn expand(text: &str, variables: &Variables) -> Result<String, String> {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        result.push_str(&rest[..at]);
        let tail = &rest[at + 1..];
        rest = if let Some(tail) = tail.strip_prefix('$') {
            result.push('$');
            tail
        } else if let Some(tail) = tail.strip_prefix('{') {
            let end = closing_brace(tail).ok_or_else(|| format!("`${{{tail}` has no closing brace"))?;
            result.push_str(&expression(&tail[..end], variables)?);
            &tail[end + 1..]
        } else {
            let name = name_at_start(tail);
            if name.is_empty() {
                return Err(format!("`{text}`: a `$` must begin a variable; write `$$` for the character"));
            }
            result.push_str(&variables.get_or_warn(name));
            &tail[name.len()..]
        };
    }
    result.push_str(rest);
    Ok(result)
}

fn name_at_start(text: &str) -> &str {
    let is_part = |(index, character): (usize, char)| {
        character == '_' || character.is_ascii_alphabetic() || (index > 0 && character.is_ascii_digit())
    };
    let end = text.char_indices().find(|at| !is_part(*at)).map_or(text.len(), |(index, _)| index);
    &text[..end]
}

fn closing_brace(text: &str) -> Option<usize> {
    let mut depth = 0;
    for (index, character) in text.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => return Some(index),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// What stands between the braces: a name, and an operator with its operand.
fn expression(text: &str, variables: &Variables) -> Result<String, String> {
    let name = name_at_start(text);
    if name.is_empty() {
        return Err(format!("`${{{text}}}` names no variable"));
    }
    let operator = &text[name.len()..];
    let set = variables.get(name);
    let filled = set.filter(|value| !value.is_empty());
    let (found, kind, operand) = match operator.strip_prefix(':') {
        Some(rest) => (filled, rest.chars().next(), rest.get(1..)),
        None => (set, operator.chars().next(), operator.get(1..)),
    };
    let operand = operand.unwrap_or_default();
    match (kind, found) {
        (None, _) if operator.is_empty() => Ok(variables.get_or_warn(name)),
        (Some('-' | '?'), Some(value)) => Ok(value.to_owned()),
        (Some('-'), None) | (Some('+'), Some(_)) => expand(operand, variables),
        (Some('+'), None) => Ok(String::new()),
        (Some('?'), None) => Err(format!("the variable {name} is needed: {}", expand(operand, variables)?)),
        _ => Err(format!("`${{{text}}}` is not a form of variable that compose knows")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_replaced() {
        let variables = Variables::of([("NAME", "value"), ("EMPTY", "")]);
        let table = [
            ("plain", Ok("plain")),
            ("$NAME.x", Ok("value.x")),
            ("${NAME}x", Ok("valuex")),
            ("$$NAME", Ok("$NAME")),
            ("$MISSING|", Ok("|")),
            ("${MISSING:-deep ${NAME}}", Ok("deep value")),
            ("${EMPTY:-default}", Ok("default")),
            ("${EMPTY-default}", Ok("")),
            ("${NAME:+set}${EMPTY:+set}${EMPTY+set}", Ok("setset")),
            ("${NAME:?unused}", Ok("value")),
            ("${MISSING:?say ${NAME}}", Err("the variable MISSING is needed: say value")),
            ("${EMPTY:?empty}", Err("the variable EMPTY is needed: empty")),
            ("${EMPTY?fine}", Ok("")),
            ("${NAME", Err("`${NAME` has no closing brace")),
            ("${NAME^^}", Err("`${NAME^^}` is not a form of variable that compose knows")),
            ("${}", Err("`${}` names no variable")),
            ("cost: $5", Err("`cost: $5`: a `$` must begin a variable; write `$$` for the character")),
        ];
        for (text, expected) in table {
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(expand(text, &variables), expected, "{text}");
        }
        assert_eq!(variables.take_unset(), ["MISSING"]);
    }
}
