//! What the images are built from.

use std::{fs, path::PathBuf};

use crate::repository;

/// The most that is sent to the engine for a first build, in bytes.
const LARGEST_CONTEXT: u64 = 2 << 20;

/// What of the workspace is not ignored, by its size.
#[test]
fn the_context_is_small() {
    let ignored = ["target", "tests", "snapshots", ".git"];
    let sent = [
        "audio",
        ".cargo",
        "cli",
        "engine",
        "models",
        "services",
        "workers",
        "workspace-hack",
        "Cargo.lock",
        "Cargo.toml",
    ];
    let mut open: Vec<PathBuf> = sent.map(|name| repository().join(name)).into();
    let mut bytes = 0;
    while let Some(path) = open.pop() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        match fs::read_dir(&path) {
            _ if ignored.contains(&name.as_str()) => {}
            Ok(entries) => open.extend(entries.map(|entry| entry.unwrap().path())),
            Err(_) => bytes += fs::metadata(&path).unwrap().len(),
        }
    }
    assert!(bytes < LARGEST_CONTEXT, "{bytes} bytes");
}
