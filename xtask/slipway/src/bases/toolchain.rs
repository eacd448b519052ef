//! The Rust toolchains of this machine, and the layer by which one comes into an image: where the
//! official image has it, with plain links instead of rustup, which could download nothing.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result};

use super::{
    archive::{Layer, reproducible_tar},
    host::Settings,
};

pub(super) const CARGO_HOME: &str = "/usr/local/cargo";
pub(super) const RUSTUP_HOME: &str = "/usr/local/rustup";
/// More than half of a toolchain, and of no use to a build.
const LEFT_OUT: [&str; 2] = ["./share/doc", "./share/man"];

#[derive(Debug, Clone)]
pub(super) struct Toolchain {
    /// As in 1.95.0.
    pub(super) version: String,
    folder: PathBuf,
}

impl Toolchain {
    /// Released ones only; the one in use is the first.
    pub(super) fn installed() -> Vec<Toolchain> {
        let rustup = std::env::var_os("RUSTUP_HOME").map(PathBuf::from);
        let rustup = rustup.or_else(|| Some(std::env::home_dir()?.join(".rustup")));
        let beside = rustup.and_then(|home| fs::read_dir(home.join("toolchains")).ok()).into_iter().flatten().flatten();
        let mut beside: Vec<PathBuf> = beside.map(|entry| entry.path()).collect();
        beside.sort();
        let mut found: Vec<Toolchain> = Vec::new();
        for folder in in_use().into_iter().chain(beside) {
            let toolchain = Toolchain::at(&folder);
            let is_new = |new: &Toolchain| found.iter().all(|known| known.version != new.version);
            found.extend(toolchain.filter(is_new));
        }
        found
    }

    /// None where the folder is no toolchain that can be copied, as with a distribution's own Rust.
    fn at(folder: &Path) -> Option<Toolchain> {
        let has_all = folder.join("bin/cargo").is_file() && folder.join("lib/rustlib").is_dir();
        let folder = folder.canonicalize().ok().filter(|folder| has_all && folder != Path::new("/usr"))?;
        let text = output(Command::new(folder.join("bin/rustc")).arg("--version"))?;
        let version = text.split(' ').nth(1).filter(|version| !version.contains('-'))?.to_owned();
        Some(Toolchain { version, folder })
    }

    #[cfg(test)]
    pub(super) fn for_tests(version: &str) -> Toolchain {
        Toolchain { version: version.to_owned(), folder: PathBuf::new() }
    }

    pub(super) async fn layer(&self, host: &Settings, scratch: &Path) -> Result<Layer> {
        let staged = scratch.join("toolchain");
        let place = format!("{RUSTUP_HOME}/toolchains/{}", self.version);
        self.stage(&staged, &place, host).context("the toolchain cannot be prepared")?;
        let archive = scratch.join("toolchain.tar");
        let mut command = reproducible_tar();
        command.arg("--file").arg(&archive);
        command.args(LEFT_OUT.map(|part| format!("--exclude={part}")));
        // The links must not be changed with the names of the toolchain's own files.
        command.arg(format!("--transform=flags=r;s,^\\./,.{place}/,"));
        command.arg("--directory").arg(&staged).arg("usr").arg("--directory").arg(&self.folder).arg("./");
        super::root::run(command, "the Rust toolchain cannot be packed").await?;
        Layer::of_file(archive, format!("Rust {}", self.version)).await
    }

    /// The folders above the toolchain, the links to its programs, and cargo's settings.
    fn stage(&self, staged: &Path, place: &str, host: &Settings) -> Result<()> {
        let inside = |path: &str| staged.join(path.trim_start_matches('/'));
        let programs = inside(&format!("{CARGO_HOME}/bin"));
        fs::create_dir_all(&programs)?;
        fs::create_dir_all(inside(&format!("{RUSTUP_HOME}/toolchains")))?;
        let mut names: Vec<_> = fs::read_dir(self.folder.join("bin"))?.collect::<std::io::Result<_>>()?;
        names.sort_by_key(std::fs::DirEntry::file_name);
        for name in names.iter().map(std::fs::DirEntry::file_name) {
            symlink(Path::new(place).join("bin").join(&name), programs.join(&name))?;
        }
        if let Some(settings) = &host.cargo {
            fs::write(inside(&format!("{CARGO_HOME}/config.toml")), settings)?;
        }
        Ok(())
    }
}

fn in_use() -> Option<PathBuf> {
    output(Command::new("rustc").args(["--print", "sysroot"])).map(|path| PathBuf::from(path.trim()))
}

fn output(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
