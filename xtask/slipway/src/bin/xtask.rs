//! The image tool as `slipway` starts it.

use std::process::ExitCode;

fn main() -> ExitCode {
    slipway::run(slipway::Name::CargoXtask)
}
