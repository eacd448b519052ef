//! Settles everything that decides a chunk's text before the first chunk is recognised: the
//! model, the options, and the language, which is detected once for the whole recording.

use std::{collections::HashMap, sync::Arc};

use engine::{
    error::StageError,
    hash::hexadecimal,
    job::{AUTO, SpeechOptions, SpeechTask},
    store::Store,
    temporal::contracts::{PrepareInput, Prepared},
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use crate::{
    audio, dispatcher::Model, downloads::AwaitedDownload, model_cache::ModelCache, recogniser, scheduler::Priority,
};

/// Grows when the same model and options give another text, so that old checkpoints are left alone.
const DECODER_REVISION: u32 = 2;

/// Chunks that the language is read from, spread over the first work unit.
const LANGUAGE_SAMPLES: usize = 3;

/// Seconds of each such chunk; more tells hardly more.
const LANGUAGE_SECONDS: usize = 10;

/// Checks the options against the model and pins the language.
pub(crate) async fn prepare(
    store: &Store,
    models: &Arc<ModelCache>,
    input: PrepareInput,
    awaited: &AwaitedDownload,
    stop: &CancellationToken,
) -> Result<Prepared, StageError> {
    tokio::select! {
        prepared = settle(store, models, input, awaited) => prepared,
        () = stop.cancelled() => Err(StageError::cancelled()),
    }
}

async fn settle(
    store: &Store,
    models: &Arc<ModelCache>,
    input: PrepareInput,
    awaited: &AwaitedDownload,
) -> Result<Prepared, StageError> {
    let PrepareInput { folder, mut speech } = input;
    if speech.language != AUTO && !recogniser::is_language(&speech.language) {
        return Err(StageError::bad_input(format!(
            "unknown language {:?}: give a code that Whisper knows, such as en, de or fr, or auto",
            speech.language
        )));
    }
    if speech.prompt.as_deref().is_some_and(|prompt| prompt.contains('\0')) {
        return Err(StageError::bad_input("the prompt has a NUL character in it: leave it out"));
    }
    let model = models.get(&speech, awaited).await?;
    refuse_what_the_model_cannot(&model, &speech)?;
    if speech.language == AUTO {
        speech.language = detect_language(store, &model, &folder).await?;
    }
    speech.model = Some(model.name.clone());
    speech.recogniser = model.choice;
    let recogniser = model.recogniser.program();
    let decode_config_hash = decode_config_hash(&recogniser, &model.sha256, &speech)?;
    Ok(Prepared { speech, model_sha256: model.sha256.clone(), recogniser, decode_config_hash })
}

fn refuse_what_the_model_cannot(model: &Model, speech: &SpeechOptions) -> Result<(), StageError> {
    let SpeechOptions { language, task, .. } = speech;
    let knows_language = language == AUTO || model.recogniser.knows_language(language);
    let is_english = !model.recogniser.is_multilingual();
    if is_english && (!knows_language || *task == SpeechTask::Translate) {
        return Err(StageError::bad_input(format!(
            "the model {} knows English only: choose one without .en for other languages and for translation",
            model.name
        )));
    }
    if !knows_language {
        return Err(StageError::bad_input(format!(
            "the model {} has not learnt the language {language}: choose a later one, such as large-v3-turbo",
            model.name
        )));
    }
    Ok(())
}

/// The language with the highest probability over several chunks of the first unit: the others may not be there yet.
/// English where nothing is said.
async fn detect_language(store: &Store, model: &Arc<Model>, folder: &str) -> Result<String, StageError> {
    if !model.recogniser.is_multilingual() {
        return Ok("en".to_owned());
    }
    let mut votes: HashMap<String, f32> = HashMap::new();
    let chunks = audio::first_unit(store, folder).await?.map(|unit| unit.chunks).unwrap_or_default();
    for index in sample(chunks.len()) {
        let mut pcm = audio::chunk_pcm(store, folder, 0, &chunks[index]).await?;
        pcm.truncate(LANGUAGE_SECONDS * engine::plan::SAMPLE_RATE as usize);
        for (language, probability) in model.detect_language(Priority::First, pcm).await? {
            *votes.entry(language).or_default() += probability;
        }
    }
    let best = votes.into_iter().max_by(|(_, left), (_, right)| left.total_cmp(right));
    Ok(best.map_or_else(|| "en".to_owned(), |(language, _)| language))
}

/// At most [`LANGUAGE_SAMPLES`] indices, evenly spread.
fn sample(chunks: usize) -> impl Iterator<Item = usize> {
    let samples = chunks.min(LANGUAGE_SAMPLES);
    (0..samples).map(move |sample| (2 * sample + 1) * chunks / (2 * samples))
}

/// A hash of all that decides the text but the audio itself. Checkpoints lie under it, so its JSON must not change.
fn decode_config_hash(recogniser: &str, model_sha256: &str, speech: &SpeechOptions) -> Result<String, StageError> {
    #[derive(Serialize)]
    struct DecodeConfig<'a> {
        #[serde(rename = "decoding")]
        decoder_revision: u32,
        recogniser: &'a str,
        model_sha256: &'a str,
        language: &'a str,
        task: SpeechTask,
        prompt: Option<&'a str>,
        words: bool,
    }
    let SpeechOptions { model: _, recogniser: _, language, task, prompt, words } = speech;
    let config = DecodeConfig {
        decoder_revision: DECODER_REVISION,
        recogniser,
        model_sha256,
        language,
        task: *task,
        prompt: prompt.as_deref(),
        words: *words,
    };
    let json = serde_json::to_vec(&config).map_err(|error| StageError::bad_input(error.to_string()))?;
    let digest = Sha256::digest(&json);
    Ok(hexadecimal(&digest[..8]))
}

#[cfg(test)]
mod tests {
    use engine::job::{SpeechOptions, SpeechTask};

    use super::{decode_config_hash, sample};

    #[test]
    fn language_samples_are_spread_evenly() {
        for (chunks, expected) in
            [(0, vec![]), (1, vec![0]), (2, vec![0, 1]), (3, vec![0, 1, 2]), (30, vec![5, 15, 25])]
        {
            assert_eq!(sample(chunks).collect::<Vec<_>>(), expected, "{chunks} chunks");
        }
    }

    /// Another hash would hide the checkpoints that are in stores.
    #[test]
    fn checkpoints_that_were_written_before_are_found() {
        let speech = SpeechOptions {
            language: "en".to_owned(),
            task: SpeechTask::Transcribe,
            prompt: None,
            words: false,
            ..SpeechOptions::default()
        };
        let hash = decode_config_hash("whisper-rs 0.16 (whisper.cpp 1.8.3)", "abc", &speech).unwrap();
        assert_eq!(hash, "fc09c2c223268cea");
    }
}
