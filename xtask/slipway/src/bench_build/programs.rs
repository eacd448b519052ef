//! The programs that were built, by their content: how it is seen that a change of sources has arrived.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{own_engine::OwnEngine, process::output_of};
use crate::hash::hexadecimal;

/// What an image runs, as its configuration says it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Config {
    env: Option<Vec<String>>,
    entrypoint: Option<Vec<String>>,
    cmd: Option<Vec<String>>,
}

/// A digest of a program that was built on the host.
pub(super) fn digest_of_file(path: &Path) -> Result<String> {
    let content = fs::read(path).with_context(|| {
        format!("the build on the host made no {}: bring `program` of `x-bench.host` up to date", path.display())
    })?;
    Ok(hexadecimal(&Sha256::digest(content)))
}

/// A digest of the files that the image's command names: its program, and others by absolute paths.
pub(super) fn digest_in_image(engine: &OwnEngine, image: &str, folder: &Path) -> Result<String> {
    let config = output_of(engine.docker().args(["image", "inspect", "--format", "{{json .Config}}", image]))?;
    let config: Config = serde_json::from_str(&config).context("the image's configuration is not understood")?;
    let container = output_of(engine.docker().args(["create", "--network", "none", image]))?;
    let digest = digest_files(engine, container.trim(), &config.candidates(), &folder.join("program"));
    output_of(engine.docker().args(["rm", container.trim()]))?;
    digest?
        .with_context(|| format!("the command of {image} names no file of it, so it cannot be seen whether it changes"))
}

impl Config {
    /// Where the files may lie.
    fn candidates(&self) -> Vec<String> {
        let words: Vec<&String> = self.entrypoint.iter().chain(&self.cmd).flatten().collect();
        let absolute = words.iter().filter(|word| word.starts_with('/')).map(|word| (*word).clone());
        let program = words.first().filter(|word| !word.contains('/'));
        let path = self.env.iter().flatten().find_map(|variable| variable.strip_prefix("PATH="));
        let folders = path.unwrap_or_default().split(':');
        let on_path =
            program.into_iter().flat_map(|program| folders.clone().map(move |folder| format!("{folder}/{program}")));
        on_path.chain(absolute).collect()
    }
}

/// None where none of the paths leads to a file.
fn digest_files(engine: &OwnEngine, container: &str, paths: &[String], copied: &Path) -> Result<Option<String>> {
    let mut hasher = Sha256::new();
    let mut found = false;
    for path in paths {
        let mut copy = engine.docker();
        copy.args(["cp", "--follow-link", &format!("{container}:{path}")]).arg(copied);
        if output_of(&mut copy).is_err() {
            // There is no such file, which is no surprise on a search path.
            continue;
        }
        if copied.is_dir() {
            fs::remove_dir_all(copied)?;
            continue;
        }
        hasher.update(fs::read(copied)?);
        fs::remove_file(copied)?;
        found = true;
    }
    Ok(found.then(|| hexadecimal(&hasher.finalize())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_looked_for_where_the_image_would() {
        let table = [
            (r#"{"Entrypoint": ["/bin/sh", "/one.sh"]}"#, vec!["/bin/sh", "/one.sh"]),
            (r#"{"Env": ["A=b", "PATH=/a:/b"], "Entrypoint": ["web"], "Cmd": ["serve"]}"#, vec!["/a/web", "/b/web"]),
            (r#"{"Env": ["PATH=/a"], "Cmd": ["python", "/app/main.py"]}"#, vec!["/a/python", "/app/main.py"]),
            ("{}", vec![]),
        ];
        for (config, expected) in table {
            assert_eq!(serde_json::from_str::<Config>(config).unwrap().candidates(), expected, "{config}");
        }
    }
}
