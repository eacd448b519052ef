//! Tells the crate the versions of its recognisers' packages, as `Cargo.lock` has them: checkpoints are named after
//! what recognised them.

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
};

/// The packages, and the variables that their versions are given in.
const RECOGNISERS: [(&str, &str); 2] = [("whisper-rs", "WHISPER_RS_VERSION"), ("ct2rs", "CT2RS_VERSION")];

fn main() -> Result<(), Box<dyn Error>> {
    let lock_file = lock_file()?;
    println!("cargo::rerun-if-changed={}", lock_file.display());
    let packages = fs::read_to_string(&lock_file)?;
    for (package, variable) in RECOGNISERS {
        let version = major_minor(&packages, package).ok_or_else(|| {
            format!(
                "{} has not exactly one {package}: build.rs names checkpoints after its version",
                lock_file.display()
            )
        })?;
        println!("cargo::rustc-env={variable}={version}");
    }
    Ok(())
}

/// The workspace's: in the nearest folder above this one that has it.
fn lock_file() -> Result<PathBuf, Box<dyn Error>> {
    let package = std::env::var("CARGO_MANIFEST_DIR")?;
    let lock_files = Path::new(&package).ancestors().map(|folder| folder.join("Cargo.lock"));
    let found = lock_files.into_iter().find(|file| file.is_file());
    found.ok_or_else(|| format!("no Cargo.lock in {package}, nor above it").into())
}

/// Patch releases change no text, and must not hide checkpoints.
fn major_minor(packages: &str, name: &str) -> Option<String> {
    let header = format!("name = \"{name}\"\nversion = \"");
    let [_, package] = packages.split(&header).collect::<Vec<_>>()[..] else { return None };
    let (version, _) = package.split_once('"')?;
    let mut parts = version.split('.');
    Some(format!("{}.{}", parts.next()?, parts.next()?))
}
