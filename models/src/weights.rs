//! The weights of a speech model, from a model's name or path to a file that the recogniser can load.

use std::path::{MAIN_SEPARATOR, Path, PathBuf};

use engine::config::Quantisation;

use super::{
    Asset, Cache, catalogue, digest, ensure,
    event::{Events, FetchError, FetchEvent},
    ggml,
    workspace::Workspace,
};

/// What a recogniser takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// A file, whose precision is chosen for models that are fetched; a user's own is taken as it is.
    Ggml(Quantisation),
    /// A folder.
    Ctranslate2,
}

/// A model that is ready to load.
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

impl Format {
    /// The weights of a model by name, fetched and made ready when that was not done before, or a user's own by path.
    ///
    /// # Errors
    /// An unknown name, a path where there is none, or what [`ensure`] reports.
    pub async fn weights(self, model: &str, cache: &Cache, events: Events<'_>) -> Result<Weights, FetchError> {
        let path = match self {
            Self::Ggml(quantisation) => match catalogue::whisper(model) {
                Some(asset) => ggml(&asset, quantisation, cache, events).await?,
                None => own(model, Path::is_file, events)?,
            },
            Self::Ctranslate2 => match catalogue::faster_whisper(model) {
                Some(asset) => ensure(&asset, cache, events).await?,
                None => own(model, is_ctranslate2_folder, events)?,
            },
        };
        described(path, self, cache).await
    }

    /// Whether [`Format::weights`] has nothing to fetch or to make.
    pub fn is_at_hand(self, model: &str, cache: &Cache) -> bool {
        match self {
            Self::Ggml(quantisation) => catalogue::whisper(model).is_none_or(|asset| match quantisation {
                Quantisation::F16 => asset.is_in(&cache.folder),
                Quantisation::Q8_0 => quantised_file(&asset, cache).is_file(),
            }),
            Self::Ctranslate2 => catalogue::faster_whisper(model).is_none_or(|asset| asset.is_in(&cache.folder)),
        }
    }
}

/// Whether a model, by name or path, can be had in CTranslate2's format.
pub fn has_ctranslate2_weights(model: &str) -> bool {
    catalogue::faster_whisper(model).is_some() || is_ctranslate2_folder(Path::new(model))
}

fn is_ctranslate2_folder(path: &Path) -> bool {
    path.join(CTRANSLATE2_WEIGHTS).is_file()
}

/// The model at `path`, with what is known of the file that holds its weights.
async fn described(path: PathBuf, format: Format, cache: &Cache) -> Result<Weights, FetchError> {
    let file = match format {
        Format::Ggml(_) => path.clone(),
        Format::Ctranslate2 => path.join(CTRANSLATE2_WEIGHTS),
    };
    let sha256 = digest_of(&file, cache).await?;
    let bytes = file.metadata().map_err(|source| FetchError::cache(&file, source))?.len();
    Ok(Weights { path, sha256, bytes })
}

async fn digest_of(path: &Path, cache: &Cache) -> Result<String, FetchError> {
    let (file, cache) = (path.to_owned(), cache.folder.clone());
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
    if looks_like_path(model) {
        return Err(FetchError::NoSuchFile { path, known: known() });
    }
    Err(FetchError::UnknownModel { name: model.to_owned(), known: known() })
}

/// Whether a name was meant to be a file's or a folder's.
pub(super) fn looks_like_path(model: &str) -> bool {
    model.contains(MAIN_SEPARATOR) || Path::new(model).extension().is_some_and(|extension| extension == "bin")
}

async fn ggml(
    asset: &Asset,
    quantisation: Quantisation,
    cache: &Cache,
    events: Events<'_>,
) -> Result<PathBuf, FetchError> {
    match quantisation {
        Quantisation::F16 => ensure(asset, cache, events).await,
        Quantisation::Q8_0 => quantised(asset, cache, events).await,
    }
}

fn quantised_file(asset: &Asset, cache: &Cache) -> PathBuf {
    let full = cache.folder.join(&asset.file);
    full.with_file_name(format!("{}-q8_0.bin", full.file_stem().unwrap_or_default().display()))
}

/// Quantises once; the outcome appears in one step, so a file that exists is complete.
async fn quantised(asset: &Asset, cache: &Cache, events: Events<'_>) -> Result<PathBuf, FetchError> {
    let path = quantised_file(asset, cache);
    if !path.is_file() {
        let from = ensure(asset, cache, events).await?;
        let workspace = Workspace::lock(&cache.folder, &path, events).await?;
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
