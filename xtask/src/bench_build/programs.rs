//! The programs in a built image, by their content: how it is seen that a change of sources has arrived.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::own_engine::OwnEngine;
use super::process::output_of;

/// What an image runs, as its configuration says it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Config {
    entrypoint: Option<Vec<String>>,
    cmd: Option<Vec<String>>,
}

/// A digest of the files that the image's command names by their absolute paths.
pub(super) fn digest(engine: &OwnEngine, image: &str, folder: &Path) -> Result<String> {
    let config = output_of(engine.docker().args(["image", "inspect", "--format", "{{json .Config}}", image]))?;
    let config: Config = serde_json::from_str(&config).context("the image's configuration is not understood")?;
    let words = config.entrypoint.into_iter().flatten().chain(config.cmd.into_iter().flatten());
    let paths: Vec<String> = words.filter(|word| word.starts_with('/')).collect();
    if paths.is_empty() {
        bail!("the command of {image} names no program by an absolute path, so it cannot be seen whether it changes");
    }
    let container = output_of(engine.docker().args(["create", "--network", "none", image]))?;
    let digest = digest_files(engine, container.trim(), &paths, &folder.join("program"));
    output_of(engine.docker().args(["rm", container.trim()]))?;
    digest
}

fn digest_files(engine: &OwnEngine, container: &str, paths: &[String], file: &Path) -> Result<String> {
    let mut hasher = Sha256::new();
    for path in paths {
        output_of(engine.docker().args(["cp", "--follow-link", &format!("{container}:{path}")]).arg(file))?;
        hasher.update(fs::read(file).with_context(|| format!("{path} of the image is no file"))?);
        fs::remove_file(file)?;
    }
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
