//! Where a project's variables come from: the process's environment, and below it the `.env` files.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use super::{interpolate::expand_leniently, variables::Variables};

/// The given environment over what the `.env` file says. A file that nobody named may be missing.
pub(super) fn load(environment: &BTreeMap<String, String>, named: &[PathBuf], folder: &Path) -> Result<Variables> {
    let mut values = BTreeMap::new();
    let usual = folder.join(".env");
    if named.is_empty() && usual.is_file() {
        read_into(&mut values, &usual, environment)?;
    }
    for file in named {
        read_into(&mut values, file, environment)?;
    }
    values.extend(environment.iter().map(|(name, value)| (name.clone(), value.clone())));
    Ok(Variables::new(values))
}

fn read_into(values: &mut BTreeMap<String, String>, path: &Path, environment: &BTreeMap<String, String>) -> Result<()> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("the variables file {} cannot be read", path.display()))?;
    let mut rest = text.as_str();
    let mut line = 1;
    while !rest.is_empty() {
        let (entry, length) = next_entry(rest);
        let parsed = parse_entry(entry, values, environment);
        let parsed = parsed.map_err(|message| anyhow::anyhow!("{}:{line}: {message}", path.display()))?;
        values.extend(parsed);
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    Ok(())
}

/// The text up to the end of the line, or of the quotes that are open there; and its length
/// with the line break.
fn next_entry(text: &str) -> (&str, usize) {
    let mut quote = None;
    let mut previous = '\n';
    for (index, character) in text.char_indices() {
        match (quote, character) {
            (None, '\n') => return (&text[..index], index + 1),
            (None, '#') if previous.is_whitespace() => {
                let end = text[index..].find('\n').map_or(text.len(), |length| index + length + 1);
                return (&text[..index], end);
            }
            (None, '"' | '\'') if previous == '=' => quote = Some(character),
            (Some(open), _) if open == character && previous != '\\' => quote = None,
            _ => {}
        }
        previous = character;
    }
    (text, text.len())
}

fn parse_entry(
    entry: &str,
    earlier: &BTreeMap<String, String>,
    environment: &BTreeMap<String, String>,
) -> Result<Option<(String, String)>, String> {
    let entry = entry.trim();
    let entry = entry.strip_prefix("export ").unwrap_or(entry);
    if entry.is_empty() {
        return Ok(None);
    }
    let (name, value) = match entry.split_once('=') {
        Some((name, value)) => (name.trim(), value.trim()),
        // A bare name takes its value from the environment.
        None => return Ok(environment.get(entry).map(|value| (entry.to_owned(), value.clone()))),
    };
    if name.is_empty() || name.contains(char::is_whitespace) {
        return Err(format!("`{entry}` is not NAME=VALUE"));
    }
    let value = match value.as_bytes() {
        [b'\'', inner @ .., b'\''] => String::from_utf8_lossy(inner).into_owned(),
        [b'"', inner @ .., b'"'] => {
            let inner = String::from_utf8_lossy(inner);
            let inner = inner.replace("\\n", "\n").replace("\\\"", "\"").replace("\\\\", "\\");
            refer_back(&inner, earlier, environment)
        }
        _ => refer_back(value, earlier, environment),
    };
    Ok(Some((name.to_owned(), value)))
}

/// `${NAME}` and `$NAME` of earlier lines or the environment.
fn refer_back(text: &str, earlier: &BTreeMap<String, String>, environment: &BTreeMap<String, String>) -> String {
    let mut values = earlier.clone();
    values.extend(environment.iter().map(|(name, value)| (name.clone(), value.clone())));
    expand_leniently(text, &Variables::new(values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_wins_over_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let text = "# comment\nA=1\nexport B='two $A' # tail\nC=\"${A}\\nthree\"\nD = four\nSET=file\nBARE\nURL=a#b\nMULTI=\"x\ny\"\n";
        std::fs::write(folder.path().join(".env"), text).unwrap();
        let environment = [("SET", "process"), ("BARE", "bare")];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let variables = load(&environment, &[], folder.path()).unwrap();
        let table = [
            ("A", "1"),
            ("B", "two $A"),
            ("C", "1\nthree"),
            ("D", "four"),
            ("SET", "process"),
            ("BARE", "bare"),
            ("URL", "a#b"),
            ("MULTI", "x\ny"),
        ];
        for (name, value) in table {
            assert_eq!(variables.get(name), Some(value), "{name}");
        }
    }

    #[test]
    fn a_bad_line_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(".env"), "A=1\n=oops\n").unwrap();
        let error = load(&BTreeMap::new(), &[], folder.path()).unwrap_err();
        assert!(error.to_string().ends_with(".env:2: `=oops` is not NAME=VALUE"), "{error}");
    }
}
