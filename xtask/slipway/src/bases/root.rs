//! A root file system out of Debian's packages, made by mmdebstrap in such a way that the same
//! packages give the same bytes.

use std::path::Path;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use super::{
    archive::{EPOCH, Layer},
    host::Settings,
};

/// What an image has no use for, as in Debian's own slim images.
const MANUALS: [&str; 8] = [
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/info/*",
    "path-exclude=/usr/share/locale/*",
    "path-exclude=/usr/share/groff/*",
    "path-exclude=/usr/share/lintian/*",
    "path-exclude=/usr/share/linda/*",
];

/// Compiled modules differ from run to run and are made again where they are needed; Debian's lock
/// on pip protects a system that nobody administers here. Paths are those of the official image.
const PYTHON_PLACES: &str = r#"
find "$1/usr" -name __pycache__ -type d -prune -exec rm -rf {} +
rm -f "$1"/usr/lib/python3*/EXTERNALLY-MANAGED
cd "$1/usr/local/bin"
ln -sf /usr/bin/python3 python
ln -sf /usr/bin/python3 python3
ln -sf /usr/bin/python3 python$VERSION
ln -sf /usr/bin/pip3 pip
ln -sf /usr/bin/pip3 pip3
mkdir -p "$1/usr/local/lib/python$VERSION"
cd "$1/usr/local/lib/python$VERSION"
rm -rf dist-packages
mkdir -p site-packages
ln -s site-packages dist-packages
"#;

pub(super) struct Root {
    pub(super) suite: &'static str,
    pub(super) packages: Vec<&'static str>,
    pub(super) has_manuals: bool,
    /// The version of the Python that is to be found where the official image has it.
    pub(super) python: Option<&'static str>,
}

pub(super) async fn make(root: &Root, host: &Settings, scratch: &Path) -> Result<Layer> {
    let archive = scratch.join("root.tar");
    let mut command = Command::new("mmdebstrap");
    command.args(["--quiet", "--variant=minbase", "--format=tar", "--dpkgopt=force-unsafe-io"]);
    command.arg(format!("--include={}", root.packages.join(",")));
    command.args(host.apt.iter().map(|setting| format!("--aptopt={setting}")));
    if !root.has_manuals {
        command.args(MANUALS.map(|option| format!("--dpkgopt={option}")));
    }
    command.arg(format!("--customize-hook=sync-in '{}' /", host.files.display()));
    command.arg("--customize-hook=chroot \"$1\" update-ca-certificates");
    // The settings just brought in hide these from mmdebstrap's own cleaning, and no two are alike.
    command.arg("--customize-hook=rm -f \"$1\"/var/cache/apt/*.bin");
    if let Some(version) = root.python {
        command.arg(format!("--customize-hook={}", PYTHON_PLACES.replace("$VERSION", version)));
    }
    command.arg(root.suite).arg(&archive).args(host.mirrors.lines(root.suite));
    command.env("SOURCE_DATE_EPOCH", EPOCH.to_string());
    run(command, &format!("mmdebstrap could not make Debian {}", root.suite)).await?;
    Layer::of_file(archive, format!("Debian {}", root.suite)).await
}

/// Runs a command to its end; its complaint is part of the error.
pub(super) async fn run(mut command: Command, failure: &str) -> Result<()> {
    let output = command.stdin(std::process::Stdio::null()).kill_on_drop(true).output().await;
    let output = output.with_context(|| failure.to_owned())?;
    if !output.status.success() {
        bail!("{failure}:\n{}", String::from_utf8_lossy(&output.stderr).trim_end());
    }
    Ok(())
}
