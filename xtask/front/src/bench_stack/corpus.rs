//! The recordings with exact transcripts. They are not part of the repository.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use tasks::Halt;

use crate::workspace;

pub(crate) struct Corpus {
    pub(crate) recordings: Vec<Recording>,
}

pub(crate) struct Recording {
    pub(crate) name: &'static str,
    pub(crate) audio: PathBuf,
    /// What is said, word for word.
    pub(crate) text: String,
}

/// The name of the sample.
const SHORT: &str = "short";

/// What is said in the repository's own sample.
const SAMPLE_TEXT: &str = "And so my fellow Americans ask not what your country can do for you \
                           ask what you can do for your country";

impl Corpus {
    /// # Errors
    /// [`Halt::ActionRequired`] where the folder is missing.
    pub(crate) fn open(folder: &Path) -> anyhow::Result<Self> {
        let folder = workspace::root().join(folder);
        let mut recordings = vec![Recording { name: SHORT, audio: workspace::sample(), text: SAMPLE_TEXT.to_owned() }];
        for name in ["dense", "sparse"] {
            let audio = folder.join(format!("{name}.flac"));
            if !audio.exists() {
                return Err(Halt::ActionRequired(format!(
                    "there is no {}: name a folder with dense.flac, dense.txt, sparse.flac and sparse.txt with --corpus",
                    audio.display()
                ))
                .into());
            }
            let text = folder.join(format!("{name}.txt"));
            let text = fs::read_to_string(&text).with_context(|| format!("cannot read {}", text.display()))?;
            recordings.push(Recording { name, audio, text });
        }
        Ok(Self { recordings })
    }

    /// Without the repository's sample.
    pub(crate) fn long(&self) -> impl Iterator<Item = &Recording> {
        self.recordings.iter().filter(|recording| recording.name != SHORT)
    }
}
