//! The resolver's explanation of why there is no solution, tied to the lines that ask for it.

use super::requirement::{Requirement, normal_name};

pub(super) struct Conflict<'a> {
    /// Those that cannot be had together, in the order they are written.
    pins: Vec<&'a Requirement>,
    /// In the resolver's words.
    explanation: &'a str,
}

impl<'a> Conflict<'a> {
    /// None where the explanation is not of a conflict between requirements, but of a package or
    /// version that the resolver could not find.
    pub(super) fn read(explanation: &'a str, requirements: &'a [Requirement]) -> Option<Conflict<'a>> {
        let is_missing =
            ["not found in the package registry", "no wheels", "there is no version of", "Requires-Python"];
        if is_missing.iter().any(|missing| explanation.contains(missing)) {
            return None;
        }
        let required = required_names(explanation);
        let pins: Vec<&Requirement> = requirements.iter().filter(|one| required.contains(&one.name())).collect();
        (pins.len() > 1).then_some(Conflict { pins, explanation })
    }

    pub(super) fn last(&self) -> &Requirement {
        self.pins[self.pins.len() - 1]
    }

    pub(super) fn why(&self) -> String {
        let pins: Vec<String> = self
            .pins
            .iter()
            .map(|pin| format!("`{}` ({}:{})", pin.pin(), pin.file.file_name().unwrap_or_default().display(), pin.line))
            .collect();
        format!("{} cannot be installed together. {}", pins.join(" and "), self.explanation)
    }

    pub(super) fn fix(&self) -> String {
        let wanted = self.pins.iter().find_map(|pin| Some((pin, self.asked_for(pin)?)));
        match wanted {
            Some((pin, (by, versions))) => {
                let by = normal_name(by);
                format!("ask for {versions} instead of {}, or for another version of {by}", pin.pin())
            }
            None => "ask for versions that go together".to_owned(),
        }
    }

    /// Who depends on which versions of a pinned package.
    fn asked_for(&self, pin: &Requirement) -> Option<(&'a str, &'a str)> {
        self.explanation.split(". ").find_map(|sentence| {
            let (by, dependency) = sentence.split_once(" depends on ")?;
            let by = by.split_whitespace().last()?;
            let versions = dependency.split_whitespace().next()?.trim_end_matches([',', '.']);
            (normal_name(versions) == pin.name()).then_some((by, versions))
        })
    }
}

/// The packages that the explanation says are required, as in `you require pydantic==2.5.0`.
fn required_names(explanation: &str) -> Vec<String> {
    let words: Vec<&str> = explanation.split_whitespace().collect();
    let mut names: Vec<String> = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let follows = |word: &str| matches!(word, "require" | "requires");
        let is_listed = *word == "and" && at >= 2 && follows(words[at - 2]);
        if let Some(name) = words.get(at + 1).filter(|_| follows(word) || is_listed) {
            names.push(normal_name(name));
        }
    }
    names
}
