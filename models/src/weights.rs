//! The weights of a speech model, from a model's name or path to a file that the recogniser can load.

use std::path::{Path, PathBuf};

use engine::config::Quantisation;

use super::{
    Asset, catalogue, digest, ensure,
    event::{Events, FetchError, FetchEvent},
    ggml,
    workspace::Workspace,
};

/// A model that is ready to load: a file in ggml's format, or a folder in CTranslate2's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weights {
    pub path: PathBuf,
    /// SHA-256 of the file with the weights, hexadecimal: what a job's provenance names.
    pub sha256: String,
    /// That file's size.
    pub bytes: u64,
}

/// The file in a folder of CTranslate2's that holds the weights.
const CTRANSLATE2_WEIGHTS: &str = "model.bin";

/// The weights of a model by name, fetched and quantised when that was not done before, or the file at a path.
/// A user's own file is taken as it is, whatever the quantisation.
///
/// # Errors
/// An unknown name, a path without a file, or what [`ensure`] reports.
pub async fn whisper_weights(
    model: &str,
    quantisation: Quantisation,
    cache: &Path,
    events: Events<'_>,
) -> Result<Weights, FetchError> {
    let path = match catalogue::whisper(model) {
        Some(asset) => named(&asset, quantisation, cache, events).await?,
        None => own(model, Path::is_file, events)?,
    };
    weights(&path, &path, cache).await
}

/// A model's folder in CTranslate2's format by name, fetched where that was not done before, or a user's own.
///
/// # Errors
/// As for [`whisper_weights`].
pub async fn ctranslate2_weights(model: &str, cache: &Path, events: Events<'_>) -> Result<Weights, FetchError> {
    let path = match catalogue::faster_whisper(model) {
        Some(asset) => ensure(&asset, cache, events).await?,
        None => own(model, is_ctranslate2_folder, events)?,
    };
    weights(&path, &path.join(CTRANSLATE2_WEIGHTS), cache).await
}

/// Whether a model, by name or path, can be had in CTranslate2's format.
pub fn has_ctranslate2_weights(model: &str) -> bool {
    catalogue::faster_whisper(model).is_some() || is_ctranslate2_folder(Path::new(model))
}

fn is_ctranslate2_folder(path: &Path) -> bool {
    path.join(CTRANSLATE2_WEIGHTS).is_file()
}

/// The model at `path`, whose weights are in `file`.
async fn weights(path: &Path, file: &Path, cache: &Path) -> Result<Weights, FetchError> {
    let sha256 = digest_of(file, cache).await?;
    let bytes = file.metadata().map_err(|source| FetchError::cache(file, source))?.len();
    Ok(Weights { path: path.to_owned(), sha256, bytes })
}

async fn digest_of(path: &Path, cache: &Path) -> Result<String, FetchError> {
    let (file, cache) = (path.to_owned(), cache.to_owned());
    let digest = tokio::task::spawn_blocking(move || digest::remembered_sha256_of(&file, &cache)).await;
    digest.map_err(std::io::Error::other).flatten().map_err(|source| FetchError::cache(path, source))
}

/// Anything that looks like a path is one; all else was meant to be a model's name.
fn own(model: &str, fits: impl Fn(&Path) -> bool, events: Events<'_>) -> Result<PathBuf, FetchError> {
    let path = PathBuf::from(model);
    let known = || catalogue::whisper_models().collect::<Vec<_>>().join(", ");
    if fits(&path) {
        events(FetchEvent::Cached { path: path.clone() });
        return Ok(path);
    }
    if model.contains(std::path::MAIN_SEPARATOR) || path.extension().is_some_and(|extension| extension == "bin") {
        return Err(FetchError::NoSuchFile { path, known: known() });
    }
    Err(FetchError::UnknownModel { name: model.to_owned(), known: known() })
}

async fn named(
    asset: &Asset,
    quantisation: Quantisation,
    cache: &Path,
    events: Events<'_>,
) -> Result<PathBuf, FetchError> {
    match quantisation {
        Quantisation::F16 => ensure(asset, cache, events).await,
        Quantisation::Q8_0 => quantised(asset, cache, events).await,
    }
}

/// Quantises once; the outcome appears in one step, so a file that exists is complete.
async fn quantised(asset: &Asset, cache: &Path, events: Events<'_>) -> Result<PathBuf, FetchError> {
    let full = cache.join(&asset.file);
    let path = full.with_file_name(format!("{}-q8_0.bin", full.file_stem().unwrap_or_default().display()));
    if !path.is_file() {
        let from = ensure(asset, cache, events).await?;
        let workspace = Workspace::lock(cache, &path, events).await?;
        if !path.is_file() {
            events(FetchEvent::Preparing { step: "quantising to 8 bits" });
            quantise(from, path.clone()).await?;
        }
        workspace.finish().map_err(|error| FetchError::cache(&path, error))?;
    }
    events(FetchEvent::Cached { path: path.clone() });
    Ok(path)
}

async fn quantise(from: PathBuf, to: PathBuf) -> Result<(), FetchError> {
    let failed = |reason: String| FetchError::Prepare { path: to.clone(), from: from.clone(), reason };
    let (input, output) = (from.clone(), to.clone());
    let written = tokio::task::spawn_blocking(move || ggml::quantise_q8_0(&input, &output)).await;
    written.map_err(|panic| failed(panic.to_string()))?.map_err(|error| failed(error.to_string()))
}
