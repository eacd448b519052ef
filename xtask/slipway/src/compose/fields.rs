//! Reads typed values out of nodes; every refusal names the value and its line.

use std::collections::BTreeMap;

use anyhow::Result;

use super::yaml::{Node, Value};

pub(super) fn text(node: &Node, what: &str) -> Result<String> {
    match &node.value {
        Value::Scalar(text) => Ok(text.clone()),
        _ => Err(node.error(format!("`{what}` must be text"))),
    }
}

pub(super) fn boolean(node: &Node, what: &str) -> Result<bool> {
    match text(node, what)?.as_str() {
        "true" | "True" | "TRUE" | "yes" | "on" => Ok(true),
        "false" | "False" | "FALSE" | "no" | "off" => Ok(false),
        other => Err(node.error(format!("`{what}` must be true or false, not `{other}`"))),
    }
}

/// A list of texts; a single text is a list of one.
pub(super) fn texts(node: &Node, what: &str) -> Result<Vec<String>> {
    match &node.value {
        Value::List(items) => items.iter().map(|item| text(item, what)).collect(),
        Value::Null => Ok(Vec::new()),
        Value::Scalar(text) => Ok(vec![text.clone()]),
        Value::Map(_) => Err(node.error(format!("`{what}` must be a list"))),
    }
}

/// A mapping to texts, or to nothing.
pub(super) fn mapping(node: &Node, what: &str) -> Result<BTreeMap<String, Option<String>>> {
    node.entries(&format!("`{what}`"))?
        .iter()
        .map(|(key, value)| match &value.value {
            Value::Null => Ok((key.text.clone(), None)),
            _ => Ok((key.text.clone(), Some(text(value, &format!("{what}.{}", key.text))?))),
        })
        .collect()
}

/// A number of bytes, as in `64m`, `1gb` or `67108864`.
pub(super) fn bytes(node: &Node, what: &str) -> Result<u64> {
    let written = text(node, what)?;
    let refused = || node.error(format!("`{what}` must be a number of bytes as in `64m`, not `{written}`"));
    let lower = written.to_ascii_lowercase();
    let digits = lower.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let unit = match &lower[digits.len()..] {
        "" | "b" => 1,
        "k" | "kb" => 1 << 10,
        "m" | "mb" => 1 << 20,
        "g" | "gb" => 1 << 30,
        _ => return Err(refused()),
    };
    let count: u64 = digits.trim().parse().map_err(|_| refused())?;
    count.checked_mul(unit).ok_or_else(refused)
}
