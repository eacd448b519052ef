//! What was named to be transcribed: a file that is there and can be read, or an address.

use std::{fs, io, path::PathBuf};

use anyhow::{Context, bail, ensure};
use url::Url;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    File(PathBuf),
    Url(Url),
}

impl Input {
    /// Checks what was typed as far as this machine can.
    ///
    /// # Errors
    /// A file that is missing, empty, unreadable or none; an address that is not of the web.
    pub(crate) fn parse(typed: &str) -> anyhow::Result<Self> {
        let scheme = typed.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        match scheme.as_deref() {
            Some("http" | "https") => {
                let url = Url::parse(typed).with_context(|| format!("{typed} is no address"))?;
                Ok(Self::Url(url))
            }
            Some(scheme) if !fs::exists(typed).unwrap_or_default() => {
                bail!("{typed} cannot be fetched: give an http or https address instead of {scheme}, or a file")
            }
            _ => {
                check_file(typed).with_context(|| format!("cannot read {typed}"))?;
                Ok(Self::File(PathBuf::from(typed)))
            }
        }
    }

    /// What the input is called among others: its file name.
    pub(crate) fn name(&self) -> String {
        let name = match self {
            Self::File(path) => path.file_name().map(|name| name.to_string_lossy().into_owned()),
            Self::Url(url) => {
                let last = url.path_segments().and_then(|mut segments| segments.next_back().map(str::to_owned));
                last.filter(|segment| !segment.is_empty()).or_else(|| url.host_str().map(str::to_owned))
            }
        };
        name.unwrap_or_else(|| "recording".to_owned())
    }
}

fn check_file(path: &str) -> anyhow::Result<()> {
    let metadata = fs::metadata(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => anyhow::anyhow!("there is no such file; check the path"),
        _ => error.into(),
    })?;
    ensure!(!metadata.is_dir(), "it is a folder; name its files, or use `longhand batch {path}`");
    ensure!(metadata.is_file(), "it is no regular file; save it to one first");
    ensure!(metadata.len() > 0, "the file is empty");
    fs::File::open(path)?;
    Ok(())
}
