//! Images out of finished layers: an archive in the layout that `docker load` reads. The same
//! layers always give the same digest, for no time and no name of this machine goes in.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio_util::io::ReaderStream;

use super::mark;
use crate::{buildkit::Engine, hash::hexadecimal};

/// Whatever is younger counts as being from then: 1 January 2025.
pub(super) const EPOCH: u64 = 1_735_689_600;
const CREATED: &str = "2025-01-01T00:00:00Z";

pub(super) struct Image {
    pub(super) name: String,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) command: Vec<String>,
    /// For the image's history.
    pub(super) made_from: String,
}

/// A file system archive, and what it is called.
pub(super) struct Layer {
    file: PathBuf,
    digest: String,
    size: u64,
    contents: String,
}

impl Layer {
    pub(super) async fn of_file(file: PathBuf, contents: String) -> Result<Layer> {
        let output = tokio::process::Command::new("sha256sum")
            .arg(&file)
            .kill_on_drop(true)
            .output()
            .await
            .context("sha256sum cannot be run")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let digest = text.split(' ').next().filter(|digest| digest.len() == 64);
        let digest = digest.with_context(|| format!("{} cannot be read", file.display()))?.to_owned();
        let size = fs::metadata(&file)?.len();
        Ok(Layer { file, digest, size, contents })
    }
}

/// GNU tar, without what differs between two runs on the same files.
pub(super) fn reproducible_tar() -> tokio::process::Command {
    let mut command = tokio::process::Command::new("tar");
    command.args(["--create", "--sort=name", "--format=gnu", "--numeric-owner", "--owner=0", "--group=0"]);
    command.arg(format!("--mtime=@{EPOCH}"));
    command
}

/// Loads the image and returns its digest.
pub(super) async fn load(engine: &Engine, image: &Image, layers: Vec<Layer>, scratch: &Path) -> Result<String> {
    let folder = scratch.join("image");
    fs::create_dir_all(folder.join("blobs/sha256"))?;
    let digest = write_layout(&folder, image, layers).context("the image's archive cannot be written")?;
    let mut packing = tokio::process::Command::new("tar")
        .args(["--create", "--file=-", "--directory"])
        .arg(&folder)
        .arg(".")
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("tar cannot be run")?;
    let archive = packing.stdout.take().context("tar gives no archive")?;
    engine.load(ReaderStream::new(archive)).await?;
    Ok(digest)
}

fn write_layout(folder: &Path, image: &Image, layers: Vec<Layer>) -> Result<String> {
    let config = write_blob(folder, &config(image, &layers))?;
    let mut described = Vec::new();
    let mut paths = Vec::new();
    for layer in layers {
        let path = format!("blobs/sha256/{}", layer.digest);
        fs::rename(&layer.file, folder.join(&path))?;
        described.push(json!({
            "mediaType": "application/vnd.oci.image.layer.v1.tar",
            "digest": format!("sha256:{}", layer.digest),
            "size": layer.size,
        }));
        paths.push(path);
    }
    let manifest = write_blob(
        folder,
        &json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": descriptor("application/vnd.oci.image.config.v1+json", &config),
            "layers": described,
        }),
    )?;
    let mut entry = descriptor("application/vnd.oci.image.manifest.v1+json", &manifest);
    entry["annotations"] = json!({
        "io.containerd.image.name": full_name(&image.name),
        "org.opencontainers.image.ref.name": image.name.rsplit(':').next(),
    });
    write_json(&folder.join("oci-layout"), &json!({"imageLayoutVersion": "1.0.0"}))?;
    write_json(&folder.join("index.json"), &json!({"schemaVersion": 2, "manifests": [entry]}))?;
    // Engines without containerd's store read this one instead.
    let old = json!([{"Config": config.path, "RepoTags": [image.name], "Layers": paths}]);
    write_json(&folder.join("manifest.json"), &old)?;
    Ok(manifest.digest)
}

fn config(image: &Image, layers: &[Layer]) -> Value {
    let environment: Vec<String> = image.environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let history = |layer: &Layer| {
        json!({
            "created": CREATED,
            "created_by": format!("{}: {}", mark(), layer.contents),
            "comment": format!("made from {}", image.made_from),
        })
    };
    json!({
        "created": CREATED,
        "architecture": crate::dockerfile::architecture(),
        "os": "linux",
        "config": {"Env": environment, "Cmd": image.command},
        "rootfs": {
            "type": "layers",
            "diff_ids": layers.iter().map(|layer| format!("sha256:{}", layer.digest)).collect::<Vec<_>>(),
        },
        "history": layers.iter().map(history).collect::<Vec<_>>(),
    })
}

struct Blob {
    digest: String,
    path: String,
    size: usize,
}

fn write_blob(folder: &Path, content: &Value) -> Result<Blob> {
    let bytes = serde_json::to_vec(content)?;
    let digest = hexadecimal(&Sha256::digest(&bytes));
    let path = format!("blobs/sha256/{digest}");
    fs::write(folder.join(&path), &bytes)?;
    Ok(Blob { digest: format!("sha256:{digest}"), path, size: bytes.len() })
}

fn descriptor(media_type: &str, blob: &Blob) -> Value {
    json!({"mediaType": media_type, "digest": blob.digest, "size": blob.size})
}

fn write_json(path: &Path, content: &Value) -> Result<()> {
    Ok(fs::write(path, serde_json::to_vec(content)?)?)
}

/// Only official images are made here.
fn full_name(name: &str) -> String {
    format!("docker.io/library/{name}")
}
