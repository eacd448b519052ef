//! What a unit's chunks go through on their way to the store: each is recognised in a batch, in the language that all
//! have or that it is most likely to be spoken in; where it was another, or more than one, it is recognised once more.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use engine::{
    error::StageError,
    events::Announcer,
    job::SpeechOptions,
    plan::{Chunk, SAMPLE_RATE},
    store::{Created, Store, keys},
    temporal::{contracts::UnitInput, metrics},
    transcript::{ChunkTranscript, HeardLanguage, Segment},
};
use futures::{
    StreamExt, future,
    stream::{self, FuturesUnordered},
};

use super::{
    neighbours::{Neighbours, Surroundings},
    warnings::warnings,
};
use crate::{
    audio,
    dispatcher::{Model, RecognisedChunk},
    languages::{self, Part, Stretch},
    recogniser::{RecogniseOptions, Recognition, is_in_another_language},
    scheduler::Priority,
};

/// What all chunks of a unit need.
pub(super) struct UnitWork<'a> {
    pub(super) store: &'a Store,
    pub(super) model: &'a Arc<Model>,
    pub(super) announcer: &'a Announcer,
    pub(super) input: &'a UnitInput,
    pub(super) run_id: &'a str,
    /// Chunks that are in the store.
    pub(super) done: &'a AtomicU32,
}

/// A chunk as it was recognised first.
struct FirstPass<'a> {
    chunk: &'a Chunk,
    /// None where it was one in which the chunk is not spoken.
    language: Option<String>,
    heard: Vec<HeardLanguage>,
    recognised: RecognisedChunk,
}

impl UnitWork<'_> {
    /// Brings all chunks into the store but those that are in `checkpoints`.
    pub(super) async fn recognise(
        &self,
        chunks: &[Chunk],
        checkpoints: BTreeMap<u32, Vec<HeardLanguage>>,
    ) -> Result<(), StageError> {
        let missing: Vec<&Chunk> = chunks.iter().filter(|chunk| !checkpoints.contains_key(&chunk.index)).collect();
        let opening = self.input.prepared.heard.as_deref().unwrap_or_default();
        let neighbours = Neighbours::new(chunks, opening, checkpoints);
        let batches = self.batches(&missing).into_iter().map(|batch| self.first_pass(batch, &neighbours));
        let batches: Vec<_> = batches.collect();
        // One more than can be at work: its audio is read meanwhile.
        let mut first_passes = stream::iter(batches).buffer_unordered(self.model.layout.sessions + 1);
        let mut waiting = Vec::new();
        let mut finishing = FuturesUnordered::new();
        loop {
            tokio::select! {
                Some(passes) = first_passes.next() => {
                    waiting.extend(passes?);
                    let ready = self.take_ready(&mut waiting, &neighbours);
                    finishing.extend(ready.into_iter().map(|(pass, around)| self.finish(pass, around)));
                }
                Some(finished) = finishing.next() => finished?,
                else => return Ok(()),
            }
        }
    }

    /// The chunks that are recognised together. The first one of a recording goes alone: somebody may be watching.
    fn batches<'c>(&self, chunks: &[&'c Chunk]) -> Vec<Vec<&'c Chunk>> {
        let (alone, others) = match chunks.split_first() {
            Some((first, others)) if is_first(first) => (Some(vec![*first]), others),
            _ => (None, chunks),
        };
        let samples: Vec<usize> = others.iter().map(|chunk| chunk.length as usize).collect();
        let batches = self.model.recogniser.batches(&samples);
        let together = batches.into_iter().map(|indices| indices.into_iter().map(|index| others[index]).collect());
        alone.into_iter().chain(together).collect()
    }

    async fn first_pass<'c>(
        &self,
        chunks: Vec<&'c Chunk>,
        neighbours: &Neighbours<'_>,
    ) -> Result<Vec<FirstPass<'c>>, StageError> {
        let pcm = future::try_join_all(chunks.iter().map(|chunk| self.pcm(chunk))).await?;
        let language = match (self.detects(), chunks.first()) {
            (true, Some(first)) => neighbours.guess(first),
            _ => self.input.prepared.speech.language.clone(),
        };
        let options = RecogniseOptions { languages: self.detects(), ..self.options(&language) };
        let recognised = self.model.recognise(priority(&chunks), pcm, options).await?;
        let passes = chunks.into_iter().zip(recognised).map(|(chunk, recognised)| {
            let languages = &recognised.recognition.languages;
            let language = (!is_in_another_language(languages, &language)).then(|| language.clone());
            let heard = languages::heard(languages, &self.input.prepared.speech.languages);
            neighbours.hear(chunk, heard.clone());
            FirstPass { chunk, language, heard, recognised }
        });
        Ok(passes.collect())
    }

    /// Takes out the chunks whose languages can be told now, with what tells them.
    fn take_ready<'c>(
        &self,
        waiting: &mut Vec<FirstPass<'c>>,
        neighbours: &Neighbours<'_>,
    ) -> Vec<(FirstPass<'c>, Option<Surroundings>)> {
        let mut ready = Vec::new();
        for pass in std::mem::take(waiting) {
            let around = if self.detects() { neighbours.surroundings(pass.chunk) } else { None };
            if around.is_some() || !self.detects() {
                ready.push((pass, around));
            } else {
                waiting.push(pass);
            }
        }
        ready
    }

    /// Writes the checkpoint of a chunk, which is recognised once more where it is spoken in another language.
    async fn finish(&self, pass: FirstPass<'_>, around: Option<Surroundings>) -> Result<(), StageError> {
        let chunk = pass.chunk;
        let parts = match around {
            Some(around) => self.parts(&pass, &around).await?,
            None => {
                let language = self.input.prepared.speech.language.clone();
                vec![Part { samples: 0..chunk.length as usize, language }]
            }
        };
        let transcript = self.transcript(pass, parts).await?;
        self.write(&transcript).await?;
        self.announcer.announce(keys::chunks(&self.input.folder, &self.input.prepared.decode_config_hash));
        let audio_s = chunk.length as f64 / f64::from(SAMPLE_RATE);
        metrics::chunk_recognised(audio_s, transcript.seconds, transcript.fallbacks);
        self.done.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Which languages are spoken where in a chunk.
    async fn parts(&self, pass: &FirstPass<'_>, around: &Surroundings) -> Result<Vec<Part>, StageError> {
        let FirstPass { chunk, heard, .. } = pass;
        let samples = chunk.length as usize;
        let pieces = if languages::is_doubtful(heard, [&around.before.heard, &around.after.heard]) {
            self.hear_pieces(chunk).await?
        } else {
            vec![(0..samples, Stretch { samples, heard: heard.clone() })]
        };
        Ok(languages::parts(&around.before, &pieces, &around.after))
    }

    async fn hear_pieces(&self, chunk: &Chunk) -> Result<Vec<(Range<usize>, Stretch)>, StageError> {
        let pcm = self.pcm(chunk).await?;
        let pieces = languages::pieces(&pcm).into_iter().map(|samples| (pcm[samples.clone()].to_vec(), samples));
        let pieces = pieces.map(|(pcm, samples)| async move {
            let heard = self.model.detect_language(priority(&[chunk]), pcm).await?;
            let heard = languages::heard(&heard, &self.input.prepared.speech.languages);
            Ok::<_, StageError>((samples.clone(), Stretch { samples: samples.len(), heard }))
        });
        future::try_join_all(pieces).await
    }

    /// The checkpoint of a chunk: what was recognised first, or its parts, each in its language.
    async fn transcript(&self, pass: FirstPass<'_>, parts: Vec<Part>) -> Result<ChunkTranscript, StageError> {
        let FirstPass { chunk, language, heard, recognised: RecognisedChunk { recognition, mut seconds } } = pass;
        let longest = parts.iter().max_by_key(|part| part.samples.len()).map(|part| part.language.clone());
        let recognitions = match <[Part; 1]>::try_from(parts) {
            Ok([part]) if Some(&part.language) == language.as_ref() => vec![(part, recognition)],
            Ok(part) => self.recognise_parts(chunk, part.into(), &mut seconds).await?,
            Err(parts) => self.recognise_parts(chunk, parts, &mut seconds).await?,
        };
        Ok(ChunkTranscript {
            chunk: chunk.index,
            run_id: self.run_id.to_owned(),
            language: longest.unwrap_or_default(),
            heard,
            fallbacks: recognitions.iter().map(|(_, recognition)| recognition.fallbacks).sum(),
            warnings: recognitions.iter().flat_map(|(part, heard)| warnings(chunk, part, heard)).collect(),
            segments: recognitions
                .into_iter()
                .flat_map(|(part, heard)| self.in_recording(chunk, &part, heard))
                .collect(),
            seconds,
        })
    }

    async fn recognise_parts(
        &self,
        chunk: &Chunk,
        parts: Vec<Part>,
        seconds: &mut f64,
    ) -> Result<Vec<(Part, Recognition)>, StageError> {
        let pcm = self.pcm(chunk).await?;
        let mut recognitions = Vec::new();
        for part in parts {
            let options = self.options(&part.language);
            let samples = pcm[part.samples.clone()].to_vec();
            let recognised = self.model.recognise(priority(&[chunk]), vec![samples], options).await?.pop();
            if let Some(recognised) = recognised {
                *seconds += recognised.seconds;
                recognitions.push((part, recognised.recognition));
            }
        }
        Ok(recognitions)
    }

    /// The segments of a part with the times of the recording, and with their language where it was detected.
    fn in_recording(&self, chunk: &Chunk, part: &Part, recognition: Recognition) -> Vec<Segment> {
        let first = part.samples.start as f64 / f64::from(SAMPLE_RATE);
        let mut segments = recognition.segments;
        for segment in &mut segments {
            segment.language = self.detects().then(|| part.language.clone());
            segment.start = chunk.source_time(first + segment.start);
            segment.end = chunk.source_time(first + segment.end);
            segment.channel = chunk.channel;
            for word in &mut segment.words {
                word.start = chunk.source_time(first + word.start);
                word.end = chunk.source_time(first + word.end);
                word.channel = chunk.channel;
            }
        }
        segments
    }

    /// Writes a checkpoint unless it is there already, and leaves a mark in that case: the result tells how many chunks
    /// were computed twice.
    async fn write(&self, transcript: &ChunkTranscript) -> Result<(), StageError> {
        let UnitInput { folder, prepared, .. } = self.input;
        let key = keys::chunk(folder, &prepared.decode_config_hash, transcript.chunk);
        if self.store.create_json(&key, transcript).await? == Created::Before {
            tracing::warn!(chunk = transcript.chunk, "another worker finished the chunk first");
            let mark = keys::recomputed(folder, &prepared.decode_config_hash, &transcript.run_id, transcript.chunk);
            self.store.write_json(&mark, transcript).await?;
        }
        Ok(())
    }

    /// Whether the language is found for each stretch of speech.
    fn detects(&self) -> bool {
        self.input.prepared.heard.is_some()
    }

    fn options(&self, language: &str) -> RecogniseOptions {
        let SpeechOptions { task, prompt, hotwords, words, .. } = self.input.prepared.speech.clone();
        RecogniseOptions { language: language.to_owned(), task, prompt, hotwords, words, languages: false }
    }

    async fn pcm(&self, chunk: &Chunk) -> Result<Vec<f32>, StageError> {
        audio::chunk_pcm(self.store, &self.input.folder, self.input.unit, chunk).await
    }
}

fn priority(chunks: &[&Chunk]) -> Priority {
    if chunks.first().is_some_and(|chunk| is_first(chunk)) { Priority::First } else { Priority::Normal }
}

/// Whether the recording begins with this chunk.
fn is_first(chunk: &Chunk) -> bool {
    chunk.index == 0
}
