//! The images from elsewhere that a Dockerfile's stages are made of.

use std::collections::BTreeSet;

use super::{Dockerfile, Kind, Stage};

impl Dockerfile {
    /// Names that are no stage, of the stages that the target is made of; the last stage is the target where none is
    /// named. There are none of a target that the Dockerfile does not have.
    pub(crate) fn outside_images(&self, target: Option<&str>) -> BTreeSet<String> {
        let target = target.map_or(self.stages.len().checked_sub(1), |target| self.stage(target));
        let mut open = Vec::from_iter(target);
        let mut seen = BTreeSet::new();
        let mut outside = BTreeSet::new();
        while let Some(number) = open.pop() {
            if !seen.insert(number) {
                continue;
            }
            let stage = &self.stages[number];
            match stage.base_stage {
                Some(base) => open.push(base),
                None => drop(outside.insert(stage.base.clone())),
            }
            for name in copied_from(stage) {
                match self.stage(name) {
                    Some(other) => open.push(other),
                    None => drop(outside.insert(name.to_owned())),
                }
            }
        }
        outside
    }
}

/// Stages and images from which files are copied or mounted.
fn copied_from(stage: &Stage) -> impl Iterator<Item = &str> {
    stage.instructions.iter().flat_map(|instruction| match &instruction.kind {
        Kind::Copy(copy) => Vec::from_iter(copy.from.as_deref()),
        Kind::Run(run) => run.mounts.iter().filter_map(|mount| mount.option("from")).collect(),
        _ => Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_found() {
        let table: &[(&str, &str, Option<&str>, &[&str])] = &[
            ("FROM debian\n", "", None, &["debian"]),
            ("# syntax=docker/dockerfile:1\nfrom --platform=$BUILDPLATFORM debian:12 as x\n", "", None, &["debian:12"]),
            ("ARG V=trixie\nFROM debian:${V}-slim\n", "", None, &["debian:trixie-slim"]),
            ("ARG V=trixie\nFROM debian:${V}-slim\n", "V=bookworm", None, &["debian:bookworm-slim"]),
            ("ARG A=a B=\"$A-b\"\nFROM $B\n", "", None, &["a-b"]),
            ("FROM a\nARG V=other\nFROM b:${V:-none}\n", "", None, &["b:none"]),
            ("FROM a AS one\nFROM one\nRUN x\n", "", None, &["a"]),
            ("FROM a AS one\nFROM b\nCOPY --from=one /x /\n", "", None, &["a", "b"]),
            ("FROM a\nFROM b\nCOPY --chown=1 --from=0 /x /\n", "", None, &["a", "b"]),
            ("FROM a AS unused\nFROM b\nCOPY --from=c:1 /x /\n", "", None, &["b", "c:1"]),
            ("FROM a AS one\nFROM b AS two\nFROM c\n", "", Some("TWO"), &["b"]),
            ("FROM a AS one\nFROM b AS two\nFROM c\n", "", Some("0"), &["a"]),
            ("FROM a\nRUN --network=none --mount=type=bind,from=d,target=/d x --from=e\n", "", None, &["a", "d"]),
            ("FROM a\nRUN <<EOF\nFROM b\nEOF\nRUN x <<-'E' y\nFROM c\n\tE\n", "", None, &["a"]),
            ("FROM a\nRUN one \\\n# in between\n  FROM \\\n\n  two\n", "", None, &["a"]),
            ("# escape=`\nFROM a\nRUN one `\nFROM\n", "", None, &["a"]),
            ("FROM debian AS one\nFROM a AS debian\nCOPY --from=one / /\n", "", None, &["a", "debian"]),
            ("FROM x-${TARGETARCH}\n", "", None, &[if cfg!(target_arch = "aarch64") { "x-arm64" } else { "x-amd64" }]),
            ("FROM a\n", "", Some("nosuch"), &[]),
        ];
        for (text, arguments, target, expected) in table {
            let pairs = arguments.split_whitespace().filter_map(|pair| pair.split_once('='));
            let arguments = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            let found = Dockerfile::parse(text, &arguments).unwrap().outside_images(*target);
            assert_eq!(found.into_iter().collect::<Vec<_>>(), *expected, "{text}");
        }
    }
}
