//! Whether a program that cargo built is up to date, from the times of files alone: milliseconds instead of cargo's
//! tenths of a second.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::{Context, Result};

use crate::workspace;

/// What decides over the program besides its sources, from the workspace on.
const MANIFESTS: [&str; 6] = [
    "Cargo.toml",
    "Cargo.lock",
    ".cargo/config.toml",
    "workspace-hack/Cargo.toml",
    "xtask/slipway/Cargo.toml",
    "xtask/tasks/Cargo.toml",
];

pub(super) struct Freshness {
    program: PathBuf,
    /// What counts as a source, too: a new toolchain, for one, has compiled it anew.
    asker: PathBuf,
}

/// A build that has begun. What changes while it runs is newer than it.
pub(super) struct Check {
    begun: PathBuf,
    passed: PathBuf,
}

impl Freshness {
    pub(super) fn of(program: &Path, asker: &Path) -> Self {
        Self { program: program.to_owned(), asker: asker.to_owned() }
    }

    /// Whether nothing has changed since cargo last made sure. The time of the program itself would not do: cargo
    /// leaves it as it is where a changed file turns out not to matter.
    pub(super) fn is_given(&self) -> bool {
        let (Some(checked), true) = (modified(&self.stamp()), self.program.is_file()) else { return false };
        let Ok(listed) = fs::read_to_string(self.program.with_extension("d")) else { return false };
        let Some(sources) = sources(&listed) else { return false };
        let manifests = MANIFESTS.iter().map(|manifest| workspace::root().join(manifest));
        // Those of a clone that has moved since say nothing about this one.
        sources.iter().all(|source| source.starts_with(workspace::root()))
            && (sources.into_iter().chain(manifests).chain([self.asker.clone()]))
                .all(|input| modified(&input).is_some_and(|modified| modified <= checked))
    }

    /// To be called before cargo is.
    pub(super) fn begin_check(&self) -> Result<Check> {
        let begun = self.program.with_extension("checking");
        File::create(&begun).with_context(|| format!("{} cannot be written", begun.display()))?;
        Ok(Check { begun, passed: self.stamp() })
    }

    /// A file as old as the last build that ended well.
    fn stamp(&self) -> PathBuf {
        self.program.with_extension("checked")
    }
}

impl Check {
    /// Keeps the moment at which the build began.
    pub(super) fn passed(self) -> Result<()> {
        fs::rename(&self.begun, &self.passed).with_context(|| format!("{} cannot be written", self.passed.display()))
    }
}

fn modified(file: &Path) -> Option<SystemTime> {
    file.metadata().and_then(|metadata| metadata.modified()).ok()
}

/// The files in cargo's dep-info, `PROGRAM: SOURCE SOURCE`, in which a backslash stands before a space in a name.
fn sources(listed: &str) -> Option<Vec<PathBuf>> {
    let (_, sources) = listed.lines().next()?.split_once(": ")?;
    let names = sources.replace("\\ ", "\0");
    Some(names.split(' ').filter(|name| !name.is_empty()).map(|name| name.replace('\0', " ").into()).collect())
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, File},
        path::PathBuf,
        time::{Duration, SystemTime},
    };

    use super::{Freshness, sources};
    use crate::workspace;

    #[test]
    fn names_with_spaces_are_read() {
        assert_eq!(
            sources("/a/target/release/xtask: /a/b/main.rs /a/c\\ d/lib.rs\n"),
            Some(vec![PathBuf::from("/a/b/main.rs"), PathBuf::from("/a/c d/lib.rs")])
        );
        assert_eq!(sources(""), None);
    }

    /// A program made of this very file.
    struct Built {
        folder: tempfile::TempDir,
    }

    impl Built {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let source = workspace::root().join("xtask/front/src/image_tool/freshness.rs");
            let program = folder.path().join("tool");
            fs::write(program.with_extension("d"), format!("{}: {}\n", program.display(), source.display())).unwrap();
            fs::write(&program, "").unwrap();
            Self { folder }
        }

        fn freshness(&self) -> Freshness {
            let program = self.folder.path().join("tool");
            Freshness::of(&program, &program)
        }
    }

    #[test]
    fn a_program_is_up_to_date_from_a_check_on_until_a_file_changes() {
        let built = Built::new();
        assert!(!built.freshness().is_given(), "cargo was never asked");
        let check = built.freshness().begin_check().unwrap();
        assert!(!built.freshness().is_given(), "the build may fail");
        check.passed().unwrap();
        assert!(built.freshness().is_given());
        let later = SystemTime::now() + Duration::from_secs(1);
        File::options().write(true).open(built.folder.path().join("tool")).unwrap().set_modified(later).unwrap();
        assert!(!built.freshness().is_given(), "something is newer");
    }

    #[test]
    fn a_moved_clone_is_not_taken_for_the_old_one() {
        let built = Built::new();
        let program = built.folder.path().join("tool");
        fs::write(program.with_extension("d"), format!("{0}: {0}\n", program.display())).unwrap();
        built.freshness().begin_check().unwrap().passed().unwrap();
        assert!(!built.freshness().is_given());
    }
}
