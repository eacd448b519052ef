//! The models of a worker: fetched when first asked for, the latest one kept in memory.

use std::{
    path::Path,
    sync::{Arc, Weak},
};

use engine::{
    config::{CacheSettings, TranscribeSettings},
    error::StageError,
    job::{RecogniserChoice, SpeechOptions},
};
use models::{FetchEvent, Weights};

use crate::{
    dispatcher::{Dispatcher, Model},
    layout,
    recogniser::{Layout, Recogniser, RecogniserError},
};

/// Gives jobs the model they name. One is kept, for jobs of one deployment mostly name the same.
pub struct ModelCache {
    settings: TranscribeSettings,
    cache: CacheSettings,
    /// Held while a model is loaded: two at once might not fit into the memory.
    loaded: tokio::sync::Mutex<Loaded>,
    dispatcher: Dispatcher,
}

#[derive(Default)]
struct Loaded {
    latest: Option<Arc<Model>>,
    /// Also those before it, for as long as an activity holds them.
    all: Vec<Weak<Model>>,
}

impl ModelCache {
    /// Starts the dispatcher, on the runtime of the caller.
    pub fn new(settings: TranscribeSettings, cache: CacheSettings) -> Self {
        let dispatcher = Dispatcher::start(layout::cores(&settings));
        Self { settings, cache, loaded: tokio::sync::Mutex::default(), dispatcher }
    }

    /// The model and the recogniser that the options name, or the worker's own where they name none.
    ///
    /// # Errors
    /// An unknown name, weights that cannot be had, a file that is no model, or a recogniser that is not built in.
    pub(crate) async fn get(&self, speech: &SpeechOptions) -> Result<Arc<Model>, StageError> {
        let name = speech.model.as_deref().unwrap_or(&self.settings.model);
        let choice = self.resolve(name, speech.recogniser);
        let mut loaded = self.loaded.lock().await;
        let mut in_memory = loaded.all.iter().filter_map(Weak::upgrade);
        let model = match in_memory.find(|model| model.name == name && model.choice == choice) {
            Some(model) => model,
            None => {
                // The weights of the last job are free before those of this one take their memory.
                loaded.latest = None;
                self.dispatcher.flush().await;
                let model = Arc::new(self.load(name, choice).await?);
                loaded.all.retain(|model| model.strong_count() > 0);
                loaded.all.push(Arc::downgrade(&model));
                model
            }
        };
        loaded.latest = Some(Arc::clone(&model));
        Ok(model)
    }

    /// Which recogniser it will be: what the job says, else the worker, else CTranslate2 where it can be.
    fn resolve(&self, model: &str, requested: RecogniserChoice) -> RecogniserChoice {
        let choice = if requested.is_auto() { self.settings.recogniser } else { requested };
        match choice {
            RecogniserChoice::Auto if cfg!(feature = "ctranslate2") && models::has_ctranslate2_weights(model) => {
                RecogniserChoice::Ctranslate2
            }
            RecogniserChoice::Auto => RecogniserChoice::Whisper,
            named => named,
        }
    }

    async fn load(&self, name: &str, choice: RecogniserChoice) -> Result<Model, StageError> {
        let cache = models::cache_folder(&self.cache);
        let weights = match choice {
            RecogniserChoice::Ctranslate2 => models::ctranslate2_weights(name, &cache, &log_fetch).await,
            _ => models::whisper_weights(name, self.settings.quantisation, &cache, &log_fetch).await,
        };
        let Weights { path, sha256, bytes } = weights.map_err(|error| StageError::setup(error.to_string()))?;
        let layout = layout::layout(&self.settings, bytes, layout::memory());
        let recogniser = tokio::task::spawn_blocking(move || match choice {
            RecogniserChoice::Ctranslate2 => ctranslate2(&path, layout),
            _ => Recogniser::whisper(&path, layout).map_err(unusable),
        });
        let recogniser = recogniser.await.map_err(ended_early)??;
        tracing::info!(model = name, sha256, recogniser = recogniser.program(), ?layout, "model loaded");
        Ok(Model::new(name, sha256, choice, recogniser, layout, self.dispatcher.clone()))
    }
}

#[cfg(feature = "ctranslate2")]
fn ctranslate2(folder: &Path, layout: Layout) -> Result<Recogniser, StageError> {
    Recogniser::ctranslate2(folder, layout).map_err(unusable)
}

#[cfg(not(feature = "ctranslate2"))]
fn ctranslate2(_folder: &Path, _layout: Layout) -> Result<Recogniser, StageError> {
    Err(StageError::setup(
        "this worker was built without CTranslate2: build it with its feature ctranslate2, or name the recogniser whisper",
    ))
}

fn unusable(error: RecogniserError) -> StageError {
    StageError::setup(error.to_string())
}

fn ended_early(error: tokio::task::JoinError) -> StageError {
    StageError::transient(format!("the thread that loads the model ended early: {error}"))
}

fn log_fetch(event: FetchEvent) {
    if let FetchEvent::Trying { source } = &event {
        tracing::info!(source, "fetching a model");
    }
}
