//! The models of a worker: fetched when first asked for, the latest one kept in memory.

use std::sync::{Arc, Mutex};

use engine::{
    assets::{self, FetchEvent},
    config::{CacheSettings, TranscribeSettings},
    error::StageError,
};

use crate::recogniser::{Recogniser, Session};

/// Gives jobs the model they name. One is kept, for jobs of one deployment mostly name the same.
pub struct Models {
    settings: TranscribeSettings,
    cache: CacheSettings,
    loaded: tokio::sync::Mutex<Option<Arc<Model>>>,
}

/// Weights in memory, and the sessions that are not at work.
pub(crate) struct Model {
    pub(crate) name: String,
    pub(crate) sha256: String,
    pub(crate) recogniser: Recogniser,
    idle: Mutex<Vec<Session>>,
}

impl Models {
    pub fn new(settings: TranscribeSettings, cache: CacheSettings) -> Self {
        Self { settings, cache, loaded: tokio::sync::Mutex::new(None) }
    }

    /// The model of that name or path, or the worker's own where none is named.
    ///
    /// # Errors
    /// An unknown name, weights that cannot be had, or a file that is no model.
    pub(crate) async fn get(&self, name: Option<&str>) -> Result<Arc<Model>, StageError> {
        let name = name.unwrap_or(&self.settings.model);
        let mut loaded = self.loaded.lock().await;
        if let Some(model) = loaded.as_ref().filter(|model| model.name == name) {
            return Ok(Arc::clone(model));
        }
        let model = Arc::new(self.load(name).await?);
        *loaded = Some(Arc::clone(&model));
        Ok(model)
    }

    async fn load(&self, name: &str) -> Result<Model, StageError> {
        let cache = assets::cache_folder(&self.cache);
        let weights = assets::whisper_weights(name, self.settings.quantisation, &cache, &log_fetch).await;
        let weights = weights.map_err(|error| StageError::setup(error.to_string()))?;
        let threads = self.settings.threads.unwrap_or_else(|| cores() / self.settings.slots.max(1)).max(1);
        let path = weights.path.clone();
        let recogniser = blocking(move || Recogniser::load(&path, threads)).await?;
        let recogniser = recogniser.map_err(|error| StageError::setup(error.to_string()))?;
        tracing::info!(model = name, sha256 = weights.sha256, threads, "model loaded");
        Ok(Model { name: name.to_owned(), sha256: weights.sha256, recogniser, idle: Mutex::default() })
    }
}

impl Model {
    /// Runs blocking work with a session of this model, on a thread that may block.
    pub(crate) async fn with_session<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Session) -> T + Send + 'static,
    ) -> Result<T, StageError> {
        let model = Arc::clone(self);
        let done = blocking(move || {
            let idle = model.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop();
            let mut session = match idle {
                Some(session) => session,
                None => model.recogniser.session().map_err(|error| StageError::setup(error.to_string()))?,
            };
            let done = work(&mut session);
            model.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(session);
            Ok(done)
        });
        done.await?
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, StageError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| StageError::transient(format!("the recogniser's thread ended early: {error}")))
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn log_fetch(event: FetchEvent) {
    if let FetchEvent::Trying { source } = &event {
        tracing::info!(source, "fetching a model");
    }
}
