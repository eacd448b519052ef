//! A copy of the project as it lies in the working tree, in which sources are changed; the user's own files are
//! only ever read.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use super::{
    project::BenchProject,
    working_tree::{is_ignore_file, tracked_files},
};
use crate::compose::{IgnoredFolder, SourceChange};

/// The size of the files that stand in for a build's output.
const STAND_IN_FILE: u64 = 4 << 20;

pub(super) struct WorkingCopy {
    root: PathBuf,
    ignore_files: Vec<PathBuf>,
}

/// What a file held before it was changed.
#[must_use = "a change that is not taken back is in the next build, too"]
pub(super) struct Edit(Vec<(PathBuf, Vec<u8>)>);

impl WorkingCopy {
    /// Copies what git tracks or would, as it is in the working tree, and the variables beside the compose files.
    pub(super) fn new(project: &BenchProject, root: &Path) -> Result<WorkingCopy> {
        let from = &project.root;
        let mut files = tracked_files(from)?;
        for compose_file in [&project.compose_file, &project.before_file] {
            let variables = compose_file.with_file_name(".env");
            if variables.is_file() {
                files.push(variables.strip_prefix(from)?.to_owned());
            }
        }
        for file in &files {
            copy(&from.join(file), &root.join(file))?;
        }
        let ignore_files = files.iter().map(|file| root.join(file)).filter(|path| is_ignore_file(path)).collect();
        let copy = WorkingCopy { root: root.to_owned(), ignore_files };
        if let Some(ignored) = &project.bench.ignored {
            copy.write_ignored(ignored, 0)?;
        }
        Ok(copy)
    }

    pub(super) fn apply(&self, change: &SourceChange, number: u32) -> Result<Edit> {
        let path = self.root.join(&change.file);
        let text = fs::read_to_string(&path).with_context(|| format!("{} cannot be read", change.file.display()))?;
        if !text.contains(&change.from) {
            bail!("{} has no `{}` to be changed; bring `x-bench` up to date", change.file.display(), change.from);
        }
        write(&path, text.replacen(&change.from, &change.numbered(number), 1).as_bytes())?;
        Ok(Edit(vec![(path, text.into_bytes())]))
    }

    pub(super) fn remove_ignore_files(&self) -> Result<Edit> {
        let mut removed = Vec::new();
        for path in &self.ignore_files {
            let content = fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
            fs::remove_file(path).with_context(|| format!("{} cannot be removed", path.display()))?;
            removed.push((path.clone(), content));
        }
        Ok(Edit(removed))
    }

    /// Fills the folder with what no compression makes smaller, different for each number.
    pub(super) fn write_ignored(&self, ignored: &IgnoredFolder, number: u32) -> Result<()> {
        let folder = self.root.join(&ignored.path);
        fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        let mut noise = Noise(u64::from(number) + 1);
        for (index, start) in (0..ignored.size).step_by(STAND_IN_FILE as usize).enumerate() {
            let path = folder.join(format!("output-{index}"));
            let mut file = BufWriter::new(File::create(&path)?);
            for _ in 0..(ignored.size - start).min(STAND_IN_FILE) / 8 {
                file.write_all(&noise.next().to_le_bytes())?;
            }
            file.flush().with_context(|| format!("{} cannot be written", path.display()))?;
        }
        Ok(())
    }
}

impl Edit {
    pub(super) fn none() -> Edit {
        Edit(Vec::new())
    }

    pub(super) fn take_back(self) -> Result<()> {
        self.0.iter().try_for_each(|(path, content)| write(path, content))
    }
}

/// Steele and Vigna's splitmix64.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

fn write(path: &Path, content: &[u8]) -> Result<()> {
    fs::write(path, content).with_context(|| format!("{} cannot be written", path.display()))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    // A file that git tracks may have been deleted in the working tree.
    let Ok(metadata) = from.symlink_metadata() else { return Ok(()) };
    if metadata.is_dir() {
        bail!("{} is another repository inside this one, which a bench cannot copy", from.display());
    }
    fs::create_dir_all(to.parent().unwrap_or(to))?;
    let copied = match fs::read_link(from) {
        Ok(target) => std::os::unix::fs::symlink(target, to),
        Err(_) => fs::copy(from, to).map(drop),
    };
    copied.with_context(|| format!("{} cannot be copied", from.display()))
}
