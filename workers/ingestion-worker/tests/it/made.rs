//! Recordings that ffmpeg and sox make of the repository's sample: the formats and oddities that users have.

use std::process::{Command, Stdio};

use engine::job::Source;

use crate::workbench::{Workbench, sample};

/// Runs a shell's command that writes `$OUT`, in the bench's folder; `$J` is the sample, `$FF` ffmpeg with `$J` as its
/// first input.
pub(crate) fn made(bench: &Workbench, name: &str, command: &str) -> Source {
    let status = Command::new("bash")
        .args(["-c", &format!("set -o pipefail; FF=\"ffmpeg -v error -nostdin -y -i $J\"; {command}")])
        .env("J", sample())
        .env("OUT", bench.path(name))
        .current_dir(bench.path(""))
        .stdin(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "{name} could not be made; `cargo xtask test` installs ffmpeg and sox: {command}");
    bench.source(name)
}
