//! What a build's events add up to: how long each step took and whether it ran, was cached or
//! was shared with another image, where the time went, and the files that tell about it. It
//! knows nothing of the engine.

mod archive;
mod critical_path;
mod document;
mod intervals;
mod metrics;
mod page;
mod record;
mod stored;
mod table;
mod trace;

use std::path::Path;

use anyhow::{Context, Result};

pub(crate) use archive::{find as find_build, keep, list as kept_builds};
pub(crate) use record::{BuildRecord, ImageRecord, StepOutcome};
pub(crate) use stored::{StoredBuild, StoredImage};
pub(crate) use table::{bytes, one_line, render_table, seconds};

/// Writes `build.json`, `build.html`, `trace.json` and `build.prom` into a folder, which is made.
pub(crate) fn write_files(record: &BuildRecord, folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("the folder {} for the timings cannot be made", folder.display()))?;
    let write = |name: &str, content: Vec<u8>| {
        let path = folder.join(name);
        std::fs::write(&path, content).with_context(|| format!("{} cannot be written", path.display()))
    };
    let document = document::document(record);
    write("build.json", serde_json::to_vec_pretty(&document)?)?;
    write("build.html", page::page(&document)?.into_bytes())?;
    write("trace.json", serde_json::to_vec(&trace::trace(record))?)?;
    write("build.prom", metrics::open_metrics(record)?)
}
