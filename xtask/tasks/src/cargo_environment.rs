//! What `cargo run` tells the program that it starts.

use std::process::Command;

/// Keeps from a command what cargo tells this program about its own package: build scripts that watch these variables
/// (ring's does) would run anew, and with them a third of the build.
pub fn forget_own_package(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&*name);
        }
    }
}
