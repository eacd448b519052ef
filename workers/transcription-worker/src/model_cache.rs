//! The models of a worker: fetched when first asked for, and kept in memory as long as there is room.

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use engine::{
    config::TranscribeSettings,
    error::StageError,
    job::{RecogniserChoice, SpeechOptions},
};
use models::{AllowedModels, Cache, Format, Weights};

use crate::{
    dispatcher::{Dispatcher, Model},
    downloads::{AwaitedDownload, Downloads},
    layout,
    memory::{self, Footprint},
    recogniser::{Layout, Recogniser, RecogniserError},
};

/// Before it is looked again whether models that are in use have become idle.
const ROOM_PAUSE: Duration = Duration::from_millis(100);

/// Gives jobs the models they name. Of those that are loaded, the ones go first that were not used for longest, and only
/// when a new one needs their memory and its weights are at hand.
pub struct ModelCache {
    settings: TranscribeSettings,
    allowed: AllowedModels,
    downloads: Downloads,
    dispatcher: Dispatcher,
    /// The one that was used last is last.
    loaded: Mutex<Vec<LoadedModel>>,
    /// Held while a model is loaded: two at once would reckon with the same memory.
    loading: tokio::sync::Mutex<()>,
    /// Closed while a model waits for those in use, which would otherwise be used on and on by others.
    gate: tokio::sync::RwLock<()>,
}

struct LoadedModel {
    model: Arc<Model>,
    /// What was reckoned for it.
    bytes: u64,
}

/// What a job asks for.
#[derive(Debug, Clone)]
struct Wanted {
    name: String,
    /// Never `Auto`.
    choice: RecogniserChoice,
    format: Format,
}

impl ModelCache {
    /// Starts the dispatcher, on the runtime of the caller.
    pub fn new(settings: TranscribeSettings, allowed: AllowedModels, cache: Cache) -> Self {
        Self {
            dispatcher: Dispatcher::start(layout::cores(&settings)),
            settings,
            allowed,
            downloads: Downloads::new(cache),
            loaded: Mutex::default(),
            loading: tokio::sync::Mutex::default(),
            gate: tokio::sync::RwLock::default(),
        }
    }

    /// The model and the recogniser that the options name, or the worker's own where they name none. `awaited` is told
    /// of the download, where there is one.
    ///
    /// # Errors
    /// A name that is unknown or not allowed, weights that cannot be had, a file that is no model, a recogniser that is
    /// not built in, or a model that is too large for this worker.
    pub(crate) async fn get(
        self: &Arc<Self>,
        speech: &SpeechOptions,
        awaited: &AwaitedDownload,
    ) -> Result<Arc<Model>, StageError> {
        let wanted = self.wanted(speech)?;
        drop(self.gate.read().await);
        if let Some(model) = self.find(&wanted) {
            return Ok(model);
        }
        let weights = self.downloads.weights(&wanted.name, wanted.format, awaited).await?;
        // By a task that goes on to its end, whoever stops waiting: what it takes of the memory is known then.
        let cache = Arc::clone(self);
        tokio::spawn(async move { cache.load(wanted, weights).await }).await.map_err(ended_early)?
    }

    /// Whether the model can be loaded, or refused, without anything being fetched.
    pub(crate) fn is_at_hand(&self, speech: &SpeechOptions) -> bool {
        match self.wanted(speech) {
            Ok(wanted) => self.downloads.are_at_hand(&wanted.name, wanted.format),
            Err(_) => true,
        }
    }

    fn wanted(&self, speech: &SpeechOptions) -> Result<Wanted, StageError> {
        let name = speech.model.as_ref().unwrap_or(&self.settings.model);
        if *name != self.settings.model {
            self.allowed.check(name).map_err(|refused| StageError::bad_input(refused.to_string()))?;
        }
        let choice = self.resolve(name, speech.recogniser);
        let format = match choice {
            RecogniserChoice::Ctranslate2 => Format::Ctranslate2,
            RecogniserChoice::Auto | RecogniserChoice::Whisper => Format::Ggml(self.settings.quantisation),
        };
        Ok(Wanted { name: name.clone(), choice, format })
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

    /// The loaded model, which is the one used last from now on.
    fn find(&self, Wanted { name, choice, .. }: &Wanted) -> Option<Arc<Model>> {
        let mut loaded = self.loaded();
        let found =
            loaded.iter().position(|LoadedModel { model, .. }| model.name == *name && model.choice == *choice)?;
        let found = loaded.remove(found);
        let model = Arc::clone(&found.model);
        loaded.push(found);
        Some(model)
    }

    async fn load(&self, wanted: Wanted, weights: Weights) -> Result<Arc<Model>, StageError> {
        let _alone = self.loading.lock().await;
        // Others who waited for the same weights may have been first.
        if let Some(model) = self.find(&wanted) {
            return Ok(model);
        }
        let Wanted { name, choice, .. } = wanted;
        let Weights { path, sha256, bytes } = weights;
        let footprint = Footprint::of(choice, bytes, self.settings.batch);
        let layout = self.make_room(&name, &footprint).await?;
        let recogniser = tokio::task::spawn_blocking(move || match choice {
            RecogniserChoice::Ctranslate2 => ctranslate2(&path, layout),
            _ => Recogniser::whisper(&path, layout).map_err(unusable),
        });
        let recogniser = recogniser.await.map_err(ended_early)??;
        let bytes = footprint.with(layout.sessions);
        tracing::info!(model = name, sha256, recogniser = recogniser.program(), ?layout, bytes, "model loaded");
        let model = Arc::new(Model::new(&name, sha256, choice, recogniser, layout, self.dispatcher.clone()));
        self.loaded().push(LoadedModel { model: Arc::clone(&model), bytes });
        Ok(model)
    }

    /// Drops idle models until this one fits, and lays its work out. Where those in use are in the way, nobody gets them
    /// again before they have become idle and this one is loaded.
    async fn make_room(&self, name: &str, footprint: &Footprint) -> Result<Layout, StageError> {
        let capacity = memory::capacity(self.settings.memory_mb);
        if footprint.with(1) > capacity {
            return Err(too_large(name, footprint.with(1), capacity));
        }
        let mut closed = None;
        loop {
            if let Some((layout, dropped)) = self.drop_idle(footprint, capacity) {
                drop(dropped);
                self.dispatcher.flush().await;
                return Ok(layout);
            }
            if closed.is_none() {
                closed = Some(self.gate.write().await);
            }
            tokio::time::sleep(ROOM_PAUSE).await;
        }
    }

    /// Takes those out that have to go; `None` where others than the idle ones would have to.
    fn drop_idle(&self, footprint: &Footprint, capacity: u64) -> Option<(Layout, Vec<LoadedModel>)> {
        let mut loaded = self.loaded();
        let in_use: u64 = loaded.iter().filter(|loaded| loaded.is_in_use()).map(|loaded| loaded.bytes).sum();
        let room = capacity.saturating_sub(in_use);
        if footprint.with(1) > room {
            return None;
        }
        let layout = layout::layout(&self.settings, footprint, room);
        let mut all = footprint.with(layout.sessions) + loaded.iter().map(|loaded| loaded.bytes).sum::<u64>();
        let dropped = loaded.extract_if(.., |loaded| {
            let goes = all > capacity && !loaded.is_in_use();
            all -= if goes { loaded.bytes } else { 0 };
            goes
        });
        Some((layout, dropped.collect()))
    }

    fn loaded(&self) -> MutexGuard<'_, Vec<LoadedModel>> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LoadedModel {
    fn is_in_use(&self) -> bool {
        Arc::strong_count(&self.model) > 1
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

fn too_large(name: &str, needed: u64, capacity: u64) -> StageError {
    StageError::setup(format!(
        "the model {name} takes {} of memory at work, and this worker has {} for models: name a smaller one, or give the \
         worker more",
        memory::gigabytes(needed),
        memory::gigabytes(capacity)
    ))
}

fn unusable(error: RecogniserError) -> StageError {
    StageError::setup(error.to_string())
}

fn ended_early(error: tokio::task::JoinError) -> StageError {
    StageError::transient(format!("what loads the model ended early: {error}"))
}

#[cfg(test)]
mod tests;
