//! The chunks of a unit whose languages are detected, each of which waits until its neighbours are heard, too.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use engine::{plan::Chunk, transcript::HeardLanguage};

use crate::languages::{self, Stretch, UNKNOWN};

pub(super) struct Neighbours<'a> {
    chunks: &'a [Chunk],
    /// What is spoken where the recording begins; nothing where all of it has one language.
    opening: &'a [HeardLanguage],
    heard: Mutex<BTreeMap<u32, Vec<HeardLanguage>>>,
}

/// What is known of a chunk's languages without it.
pub(super) struct Surroundings {
    pub(super) before: Stretch,
    pub(super) after: Stretch,
}

impl<'a> Neighbours<'a> {
    /// `heard` holds the chunks that are recognised already.
    pub(super) fn new(
        chunks: &'a [Chunk],
        opening: &'a [HeardLanguage],
        heard: BTreeMap<u32, Vec<HeardLanguage>>,
    ) -> Self {
        Self { chunks, opening, heard: Mutex::new(heard) }
    }

    pub(super) fn hear(&self, chunk: &Chunk, heard: Vec<HeardLanguage>) {
        self.locked(|all| all.insert(chunk.index, heard));
    }

    /// What this chunk is most likely spoken in, as far as it is known now: no more than a guess.
    pub(super) fn guess(&self, chunk: &Chunk) -> String {
        let known = self.locked(|all| {
            let earlier = all.range(..=chunk.index).rev();
            earlier.filter_map(|(_, heard)| languages::likeliest(heard)).map(str::to_owned).next()
        });
        known.unwrap_or_else(|| languages::likeliest(self.opening).unwrap_or(UNKNOWN).to_owned())
    }

    /// None until both neighbours are heard. Where there is none in the unit, the recording's opening stands for it. The
    /// recording's first chunk waits for nobody, since somebody may be watching.
    pub(super) fn surroundings(&self, chunk: &Chunk) -> Option<Surroundings> {
        let place = self.chunks.iter().position(|other| other.index == chunk.index)?;
        let (before, after) = (&self.chunks[..place], &self.chunks[place + 1..]);
        let same_channel = |other: &&Chunk| other.channel == chunk.channel;
        let next = after.iter().find(same_channel).filter(|_| chunk.index > 0);
        let stretches = [before.iter().rfind(same_channel), next].map(|neighbour| self.stretch(neighbour));
        let [before, after] = stretches;
        Some(Surroundings { before: before?, after: after? })
    }

    fn stretch(&self, neighbour: Option<&Chunk>) -> Option<Stretch> {
        let Some(chunk) = neighbour else { return Some(Stretch::hint(self.opening.to_vec())) };
        let heard = self.locked(|all| all.get(&chunk.index).cloned())?;
        Some(Stretch { samples: chunk.length as usize, heard })
    }

    fn locked<T>(&self, look: impl FnOnce(&mut BTreeMap<u32, Vec<HeardLanguage>>) -> T) -> T {
        look(&mut self.heard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
