//! The image tool for any compose project.

use std::process::ExitCode;

fn main() -> ExitCode {
    slipway::run(slipway::Name::Slipway)
}
