//! What is kept between builds, one file for each project. A file that cannot be understood counts as none:
//! then everything is solved.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::folders::KnownFolder;
use crate::{build::plan::Plan, cache_folder::cache_folder};

/// Raised when a field changes its meaning.
const FORMAT: u32 = 1;

#[derive(Default, Serialize, Deserialize)]
pub(super) struct Records {
    format: u32,
    pub(super) images: BTreeMap<String, CacheEntry>,
    /// By keys that stand for their content.
    pub(super) folders: BTreeMap<String, KnownFolder>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum CacheEntry {
    Known(KnownImage),
    /// It has to be solved every time.
    NotCacheable {
        because: String,
    },
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct KnownImage {
    /// Stands for what was asked of which engine.
    pub(super) request: String,
    /// What the engine calls it.
    pub(super) id: String,
    pub(super) digest: String,
    /// When the solve began.
    pub(super) solved: SystemTime,
    /// Ids of the images that it is built on, by their names.
    pub(super) bases: BTreeMap<String, String>,
    /// Keys of what the engine was told of folders.
    pub(super) folders: Vec<String>,
}

pub(super) fn path(plan: &Plan) -> Result<PathBuf> {
    let folder = cache_folder()?.join("unchanged");
    Ok(folder.join(format!("{}-{}.json", plan.project, &plan.shared_key[..12])))
}

impl Records {
    pub(super) fn load(path: &Path) -> Records {
        let read = std::fs::read(path).ok();
        let records: Option<Records> = read.and_then(|text| serde_json::from_slice(&text).ok());
        records.filter(|records| records.format == FORMAT).unwrap_or_default()
    }

    /// Lays these records over those in the file, which another build may have written meanwhile, and forgets
    /// folders that no image refers to. Whoever reads the file at the same time reads the old or the new one.
    pub(super) fn add_to(self, path: &Path) -> Result<()> {
        let mut all = Records::load(path);
        all.format = FORMAT;
        all.images.extend(self.images);
        all.folders.extend(self.folders);
        let used: BTreeSet<String> = all.images.values().flat_map(CacheEntry::folders).cloned().collect();
        all.folders.retain(|key, _| used.contains(key));
        let failed = || format!("{} cannot be written", path.display());
        let folder = path.parent().with_context(failed)?;
        std::fs::create_dir_all(folder).with_context(failed)?;
        let mut file = tempfile::NamedTempFile::new_in(folder).with_context(failed)?;
        file.write_all(&serde_json::to_vec(&all)?).with_context(failed)?;
        file.persist(path).with_context(failed)?;
        Ok(())
    }
}

impl CacheEntry {
    fn folders(&self) -> &[String] {
        match self {
            Self::Known(known) => &known.folders,
            Self::NotCacheable { .. } => &[],
        }
    }
}
