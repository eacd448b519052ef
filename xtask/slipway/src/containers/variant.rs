//! Variants of a project: further compose files beside its own, laid over it.

use std::path::PathBuf;

use anyhow::{Result, bail};

#[derive(Debug, Clone, Copy)]
pub(super) enum Variant {
    /// Layers are shared through a registry.
    Fast,
    /// Programs are compiled from the sources as they lie here, and not in images.
    Dev,
    /// No image comes from a registry.
    AirGapped,
}

impl Variant {
    fn name(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Dev => "dev",
            Self::AirGapped => "air-gapped",
        }
    }

    /// Adds the variant's file: for `compose.yaml` that is `compose.fast.yaml` in the same folder.
    ///
    /// # Errors
    /// There is no such file.
    pub(super) fn lay_over(self, files: &mut Vec<PathBuf>) -> Result<()> {
        let Some(first) = files.first() else { bail!("there is no compose file to lay --{} over", self.name()) };
        let stem = first.file_stem().unwrap_or_default().to_string_lossy();
        let over = first.with_file_name(format!("{stem}.{}.yaml", self.name()));
        if !over.is_file() {
            bail!("--{} needs the file {}, which is not there", self.name(), over.display());
        }
        files.push(over);
        Ok(())
    }
}
