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
    pub(crate) name: String,
    /// Whisper's code.
    pub(crate) language: String,
    pub(crate) audio: PathBuf,
    /// What is said, word for word.
    pub(crate) text: String,
}

/// The name of the sample.
const SHORT: &str = "short";

const ENGLISH: &str = "en";

/// What is said in the repository's own sample.
const SAMPLE_TEXT: &str = "And so my fellow Americans ask not what your country can do for you \
                           ask what you can do for your country";

impl Corpus {
    /// # Errors
    /// [`Halt::ActionRequired`] where the folder is missing.
    pub(crate) fn open(folder: &Path) -> anyhow::Result<Self> {
        let folder = workspace::root().join(folder);
        let (audio, text) = (workspace::sample(), SAMPLE_TEXT.to_owned());
        let sample = Recording { name: SHORT.to_owned(), language: ENGLISH.to_owned(), audio, text };
        let long = ["dense", "sparse"].map(|name| Recording::read(&folder, name, name, ENGLISH));
        Ok(Self { recordings: [Ok(sample)].into_iter().chain(long).collect::<anyhow::Result<_>>()? })
    }

    /// Adds recordings in other languages, each from a folder of the corpus that is named by its code.
    ///
    /// # Errors
    /// As [`Corpus::open`].
    pub(crate) fn with_languages(mut self, folder: &Path, languages: &[String]) -> anyhow::Result<Self> {
        for language in languages {
            let folder = workspace::root().join(folder).join(language);
            self.recordings.push(Recording::read(&folder, "dense", language, language)?);
        }
        Ok(self)
    }

    /// English ones, without the repository's sample.
    pub(crate) fn long(&self) -> impl Iterator<Item = &Recording> {
        self.recordings.iter().filter(|recording| recording.name != SHORT)
    }
}

impl Recording {
    fn read(folder: &Path, file: &str, name: &str, language: &str) -> anyhow::Result<Self> {
        let audio = folder.join(format!("{file}.flac"));
        if !audio.exists() {
            let missing = format!(
                "there is no {}: name a folder with dense.flac, dense.txt, sparse.flac and sparse.txt with --corpus, and in \
                 it one with dense.flac and dense.txt for each of --languages",
                audio.display()
            );
            return Err(Halt::ActionRequired(missing).into());
        }
        let text = folder.join(format!("{file}.txt"));
        let text = fs::read_to_string(&text).with_context(|| format!("cannot read {}", text.display()))?;
        Ok(Self { name: name.to_owned(), language: language.to_owned(), audio, text })
    }
}
