//! Where the workspace lies, and its cargo.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

use tasks::forget_own_package;

/// The workspace's folder. Cargo tells that whenever it runs this program; what it told the compiler is not true any
/// more of a clone that has moved, for cargo compiles nothing anew there.
pub(crate) fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        let is_about_us = std::env::var_os("CARGO_PKG_NAME").is_some_and(|package| package == env!("CARGO_PKG_NAME"));
        let now = is_about_us.then(|| std::env::var_os("CARGO_MANIFEST_DIR")).flatten();
        let package = now.map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
        package.ancestors().nth(2).unwrap_or(&package).to_owned()
    });
    &ROOT
}

/// The recording of the examples: 11 s of speech.
pub(crate) fn sample() -> PathBuf {
    root().join("samples/jfk.flac")
}

/// The cargo that runs this, as if the user had called it.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    forget_own_package(&mut command);
    command
}
