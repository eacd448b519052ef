//! A program that the machine may have already.

use std::path::PathBuf;

use engine::config::program_folders;

/// A program looked for on PATH before anything is fetched, and taken as it is when it is recent enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathProgram {
    pub name: String,
    /// The oldest version that will do: major, minor, patch. None where any does.
    pub oldest: Option<[u32; 3]>,
}

impl PathProgram {
    pub(super) async fn find(&self) -> Option<PathBuf> {
        let path = program_folders().into_iter().map(|folder| folder.join(&self.name)).find(|path| path.is_file())?;
        // Also where any version will do: a program that cannot say it cannot be run here at all.
        let answer = tokio::process::Command::new(&path).arg("--version").output().await.ok()?;
        let version = || version_in(&String::from_utf8_lossy(&answer.stdout));
        let will_do = match self.oldest {
            Some(oldest) => version().is_some_and(|version| version >= oldest),
            None => answer.status.success(),
        };
        will_do.then_some(path)
    }
}

/// The first `1.2.3` in a program's answer.
fn version_in(answer: &str) -> Option<[u32; 3]> {
    answer.split_whitespace().find_map(|word| {
        let numbers: Vec<u32> = word.trim_start_matches('v').split('.').map_while(|part| part.parse().ok()).collect();
        numbers.try_into().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::version_in;

    #[test]
    fn versions_are_found_in_what_programs_answer() {
        for (answer, version) in [
            ("temporal version 1.9.1 (Server 1.32.0, UI 2.54.1)\n", Some([1, 9, 1])),
            ("tool v0.10.2", Some([0, 10, 2])),
            ("temporal version DEV", None),
            ("", None),
        ] {
            assert_eq!(version_in(answer), version, "{answer:?}");
        }
        assert!([1, 10, 0] > [1, 9, 1]);
    }
}
