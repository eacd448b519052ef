//! The image tool as `cargo xtask` starts it.

use std::process::ExitCode;

fn main() -> ExitCode {
    slipway::run(slipway::Name::CargoXtask)
}
