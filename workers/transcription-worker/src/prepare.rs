//! Settles everything that decides a chunk's text before the first chunk is recognised: the model, the options, and the
//! language, or what is spoken where the recording begins.

use std::{collections::BTreeMap, sync::Arc};

use engine::{
    error::StageError,
    hash::hexadecimal,
    job::{AUTO, SpeechOptions, SpeechTask},
    store::Store,
    temporal::contracts::{PrepareInput, Prepared},
    transcript::HeardLanguage,
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use crate::{
    audio,
    dispatcher::Model,
    downloads::AwaitedDownload,
    languages::{self, UNKNOWN},
    model_cache::ModelCache,
    reuse::{self, Listener},
    scheduler::Priority,
};

/// Grows when the same model and options give another text, so that old checkpoints are left alone.
const DECODER_REVISION: u32 = 3;

/// Chunks that the language is read from, spread over the first work unit.
const LANGUAGE_SAMPLES: usize = 3;

/// Seconds of each such chunk; more tells hardly more.
const LANGUAGE_SECONDS: usize = 10;

/// Checks the options against the model, and hears what is spoken first.
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
    let PrepareInput { folder, speech } = input;
    let mut speech = speech.with_language_codes().map_err(|error| StageError::bad_input(error.to_string()))?;
    if speech.prompt.iter().chain(&speech.hotwords).any(|text| text.contains('\0')) {
        return Err(StageError::bad_input("the prompt or a hotword has a NUL character in it: leave it out"));
    }
    speech.hotwords = hotwords(&speech.hotwords, models.hotwords());
    let model = models.get(&speech, awaited).await?;
    refuse_what_the_model_cannot(&model, &speech)?;
    if speech.language == AUTO && !model.recogniser.is_multilingual() {
        UNKNOWN.clone_into(&mut speech.language);
    }
    speech.model = Some(model.name.clone());
    speech.recogniser = model.choice;
    let recogniser = model.recogniser.program();
    let decode_config_hash = decode_config_hash(&recogniser, &model.sha256, &speech)?;
    let is_recognised = reuse::is_recognised(store, &folder, &decode_config_hash).await?;
    let mut heard = None;
    if speech.language == AUTO {
        let listener = Listener { model_sha256: &model.sha256, languages: &speech.languages };
        let detection = hear_opening(store, &model, &folder, &speech.languages);
        let opening = reuse::opening(store, &folder, &listener, detection).await?;
        // Workers of before, which know one language for a recording, take this one.
        languages::likeliest(&opening).unwrap_or(UNKNOWN).clone_into(&mut speech.language);
        heard = Some(opening);
    }
    let model_sha256 = model.sha256.clone();
    Ok(Prepared { speech, model_sha256, recogniser, decode_config_hash, is_recognised, heard })
}

/// A job's own terms and then the server's, each once and no more of them than could be used: every unit's input, which
/// Temporal keeps, has them in it.
fn hotwords(own: &[String], servers: &[String]) -> Vec<String> {
    const MAX_BYTES: usize = 4_000;
    let mut bytes = 0;
    let mut taken: Vec<String> = Vec::new();
    for term in own.iter().chain(servers).map(|term| term.trim()).filter(|term| !term.is_empty()) {
        bytes += term.len();
        if !taken.iter().any(|earlier| earlier == term) && bytes <= MAX_BYTES {
            taken.push(term.to_owned());
        }
    }
    taken
}

fn refuse_what_the_model_cannot(model: &Model, speech: &SpeechOptions) -> Result<(), StageError> {
    let SpeechOptions { language, languages, task, .. } = speech;
    let mut named = languages.iter().chain(Some(language).filter(|language| *language != AUTO));
    let unknown = named.find(|language| !model.recogniser.knows_language(language));
    let is_english = !model.recogniser.is_multilingual();
    if is_english && (unknown.is_some() || *task == SpeechTask::Translate) {
        return Err(StageError::bad_input(format!(
            "the model {} knows English only: choose one without .en for other languages and for translation",
            model.name
        )));
    }
    if let Some(language) = unknown {
        return Err(StageError::bad_input(format!(
            "the model {} has not learnt the language {language}: choose a later one, such as large-v3-turbo",
            model.name
        )));
    }
    Ok(())
}

/// What is spoken in several chunks of the first unit together: the others may not be there yet. All languages that may
/// be spoken where nothing is said.
async fn hear_opening(
    store: &Store,
    model: &Arc<Model>,
    folder: &str,
    among: &[String],
) -> Result<Vec<HeardLanguage>, StageError> {
    let mut votes: BTreeMap<String, f32> = BTreeMap::new();
    let chunks = audio::first_unit(store, folder).await?.map(|unit| unit.chunks).unwrap_or_default();
    for index in sample(chunks.len()) {
        let mut pcm = audio::chunk_pcm(store, folder, 0, &chunks[index]).await?;
        pcm.truncate(LANGUAGE_SECONDS * engine::plan::SAMPLE_RATE as usize);
        for (language, probability) in model.detect_language(Priority::First, pcm).await? {
            *votes.entry(language).or_default() += probability;
        }
    }
    if votes.is_empty() {
        votes.extend(among.iter().map(|language| (language.clone(), 1.0)));
    }
    let votes: Vec<(String, f32)> = votes.into_iter().collect();
    Ok(languages::heard(&votes, among))
}

/// At most [`LANGUAGE_SAMPLES`] indices, evenly spread.
fn sample(chunks: usize) -> impl Iterator<Item = usize> {
    let samples = chunks.min(LANGUAGE_SAMPLES);
    (0..samples).map(move |sample| (2 * sample + 1) * chunks / (2 * samples))
}

/// A hash of all that decides the text but the audio itself: of a language that is to be detected, that it is, for what
/// is heard is up to the audio. Checkpoints lie under it, so its JSON must not change.
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
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        languages: &'a [String],
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        hotwords: &'a [String],
    }
    let SpeechOptions { model: _, recogniser: _, language, languages, task, prompt, hotwords, words } = speech;
    let config = DecodeConfig {
        decoder_revision: DECODER_REVISION,
        recogniser,
        model_sha256,
        language,
        task: *task,
        prompt: prompt.as_deref(),
        words: *words,
        languages,
        hotwords,
    };
    let json = serde_json::to_vec(&config).map_err(|error| StageError::bad_input(error.to_string()))?;
    let digest = Sha256::digest(&json);
    Ok(hexadecimal(&digest[..8]))
}

#[cfg(test)]
mod tests {
    use engine::job::{SpeechOptions, SpeechTask};

    use super::{decode_config_hash, hotwords, sample};

    #[test]
    fn a_jobs_own_terms_come_first_and_each_once() {
        let terms = |listed: &[&str]| listed.iter().map(|term| (*term).to_owned()).collect::<Vec<_>>();
        for (own, servers, expected) in [
            (vec![], vec![], vec![]),
            (
                vec![" Brzezinski ", "", "Longhand"],
                vec!["Longhand", "Temporal"],
                vec!["Brzezinski", "Longhand", "Temporal"],
            ),
            (vec!["Longhand"], vec![&*"x".repeat(4_000)], vec!["Longhand"]),
        ] {
            assert_eq!(hotwords(&terms(&own), &terms(&servers)), terms(&expected), "{own:?}, {servers:?}");
        }
    }

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
        assert_eq!(hash, "0a03391419700d57");
    }
}
