//! The engine's path patterns, as in a .dockerignore: `*`, `?`, `[a-z]`, `**`, a leading `!`.
//! A pattern that matches a folder holds for everything below it; the last match wins.

/// An ordered list of patterns.
#[derive(Debug, Default)]
pub(crate) struct PathPatterns(Vec<Pattern>);

#[derive(Debug)]
struct Pattern {
    text: String,
    excepts: bool,
}

/// Which of the patterns match a path or a folder above it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Matches(Vec<bool>);

impl PathPatterns {
    pub(crate) fn new<S: AsRef<str>>(patterns: impl IntoIterator<Item = S>) -> PathPatterns {
        PathPatterns(patterns.into_iter().filter_map(|text| Pattern::parse(text.as_ref())).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What matches `path`, given what matched its parent.
    pub(crate) fn matches(&self, path: &str, parent: &Matches) -> Matches {
        let matched = |(index, pattern): (usize, &Pattern)| {
            parent.0.get(index).copied().unwrap_or_default() || pattern.matches(path)
        };
        Matches(self.0.iter().enumerate().map(matched).collect())
    }

    /// The verdict: whether the last pattern that matched is not an exception.
    pub(crate) fn select(&self, matches: &Matches) -> bool {
        self.0.iter().zip(&matches.0).rev().find(|(_, matched)| **matched).is_some_and(|(pattern, _)| !pattern.excepts)
    }

    /// Whether a path below `folder` may be selected by a pattern that does not match `folder`.
    pub(super) fn may_match_below(&self, folder: &str) -> bool {
        self.0.iter().any(|pattern| !pattern.excepts && pattern.reaches_below(folder))
    }

    /// Whether an exception may bring back something below a folder that is not selected.
    pub(super) fn may_except_below(&self, folder: &str) -> bool {
        self.0.iter().any(|pattern| pattern.excepts && pattern.reaches_below(folder))
    }
}

impl Pattern {
    fn parse(text: &str) -> Option<Pattern> {
        let (text, excepts) = match text.trim().strip_prefix('!') {
            Some(rest) => (rest.trim(), true),
            None => (text.trim(), false),
        };
        let parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
        (!parts.is_empty()).then(|| Pattern { text: parts.join("/"), excepts })
    }

    fn matches(&self, path: &str) -> bool {
        matches_text(self.text.as_bytes(), path.as_bytes())
    }

    /// Compares folder by folder as far as the pattern is plain text; from its first wildcard
    /// on, anything may match.
    fn reaches_below(&self, folder: &str) -> bool {
        for (ours, theirs) in self.text.split('/').zip(folder.split('/')) {
            if ours.contains(['*', '?', '[', '\\']) {
                return true;
            }
            if ours != theirs {
                return false;
            }
        }
        self.text.split('/').count() > folder.split('/').count()
    }
}

fn matches_text(pattern: &[u8], path: &[u8]) -> bool {
    match pattern {
        [] => path.is_empty(),
        [b'*', b'*', b'/', rest @ ..] => {
            matches_text(rest, path)
                || path.iter().enumerate().any(|(at, byte)| *byte == b'/' && matches_text(rest, &path[at + 1..]))
        }
        [b'*', b'*', rest @ ..] => (0..=path.len()).any(|taken| matches_text(rest, &path[taken..])),
        [b'*', rest @ ..] => {
            let longest = path.iter().position(|byte| *byte == b'/').unwrap_or(path.len());
            (0..=longest).any(|taken| matches_text(rest, &path[taken..]))
        }
        [b'?', rest @ ..] => path.first().is_some_and(|byte| *byte != b'/') && matches_text(rest, &path[1..]),
        [b'[', rest @ ..] => matches_class(rest, path),
        [b'\\', literal, rest @ ..] | [literal, rest @ ..] => {
            path.first() == Some(literal) && matches_text(rest, &path[1..])
        }
    }
}

/// `pattern` begins after the opening bracket.
fn matches_class(pattern: &[u8], path: &[u8]) -> bool {
    let (Some(end), Some(byte)) = (pattern.iter().position(|byte| *byte == b']'), path.first()) else {
        return false;
    };
    let (class, negated) = match &pattern[..end] {
        [b'^', class @ ..] => (class, true),
        class => (class, false),
    };
    let mut inside = false;
    let mut rest = class;
    while let Some((first, tail)) = rest.split_first() {
        rest = match tail {
            [b'-', last, tail @ ..] => {
                inside |= (*first..=*last).contains(byte);
                tail
            }
            _ => {
                inside |= first == byte;
                tail
            }
        };
    }
    inside != negated && *byte != b'/' && matches_text(&pattern[end + 1..], &path[1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selects(patterns: &[&str], path: &str) -> bool {
        let patterns = PathPatterns::new(patterns);
        let mut matches = Matches::default();
        for (at, _) in path.match_indices('/').chain([(path.len(), "")]) {
            matches = patterns.matches(&path[..at], &matches);
        }
        patterns.select(&matches)
    }

    #[test]
    fn patterns_select_paths() {
        let table: &[(&[&str], &str, bool)] = &[
            (&["target"], "target", true),
            (&["target"], "target/debug/app", true),
            (&["target"], "crates/target", false),
            (&["**/target"], "crates/a/target/x", true),
            (&["**/target"], "target", true),
            (&["*.md"], "README.md", true),
            (&["*.md"], "docs/README.md", false),
            (&["**/*.md"], "docs/a/README.md", true),
            (&["docs/**"], "docs/a/b", true),
            (&["docs/**"], "docs", false),
            (&["/docs/"], "docs/a", true),
            (&["a?c"], "abc", true),
            (&["a?c"], "a/c", false),
            (&["[a-c]x"], "bx", true),
            (&["[^a-c]x"], "bx", false),
            (&["[a-c]x"], "dx", false),
            (&[r"\*"], "*", true),
            (&[r"\*"], "a", false),
            (&["*", "!keep"], "keep", false),
            (&["*", "!keep"], "lose", true),
            (&["*", "!keep/this"], "keep/this/file", false),
            (&["*", "!keep/this"], "keep/that", true),
            (&["!keep", "keep"], "keep", true),
            (&["", "."], "anything", false),
        ];
        for (patterns, path, expected) in table {
            assert_eq!(selects(patterns, path), *expected, "{patterns:?} on {path}");
        }
    }

    #[test]
    fn folders_are_entered_only_where_something_below_can_match() {
        let patterns = PathPatterns::new(["src/bin", "assets/*.png", "!docs/kept"]);
        let table = [("src", true), ("src/bin", false), ("assets", true), ("other", false), ("srcs", false)];
        for (folder, expected) in table {
            assert_eq!(patterns.may_match_below(folder), expected, "{folder}");
        }
        assert!(patterns.may_except_below("docs"));
        assert!(!patterns.may_except_below("src"));
    }
}
