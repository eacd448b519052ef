//! From where a recording is to a local file of known hash.
//!
//! Paths, and objects of a store that is a folder, are read in place; other objects and URLs are copied to a temporary
//! file on the way. It knows nothing of what the bytes mean.

mod address;
mod local;
mod object;
mod pace;
mod ssrf_guard;
mod temporary;
pub(crate) mod url;

use std::fs::File;

use engine::{config::IngestSettings, error::StageError, job::Source, store::Store};
use pace::Pace;
use tempfile::TempPath;
use tokio_util::sync::CancellationToken;

/// A source that can be decoded.
pub(crate) struct LocalSource {
    pub(crate) file: File,
    /// The source as errors and logs call it.
    pub(crate) name: String,
    /// Of the source's bytes, hexadecimal.
    pub(crate) sha256: String,
    /// Removes a temporary copy when dropped.
    pub(crate) temporary: Option<TempPath>,
}

/// Gets hold of a source's bytes and of their hash.
///
/// # Errors
/// Bad input where the source can never be read, set-up where the temporary folder is full,
/// transient where another try may help.
pub(crate) async fn fetch(
    store: &Store,
    settings: &IngestSettings,
    source: &Source,
    cancelled: &CancellationToken,
) -> Result<LocalSource, StageError> {
    let limit = SizeLimit { megabytes: settings.max_source_mb };
    let fetched = match source {
        Source::Path(path) => local::open(path, limit, cancelled.clone()).await?,
        Source::Object(key) => object::open(store, key, limit, cancelled.clone()).await?,
        Source::Url(url) => {
            let pace = Pace::of_recordings(settings.fetch_minutes);
            url::fetch(url, settings.allow_private_urls, limit, pace).await?
        }
    };
    if fetched.file.metadata().is_ok_and(|metadata| metadata.len() == 0) {
        let name = fetched.name;
        return Err(StageError::bad_input(format!("{name} is empty: it has 0 bytes; check the recording")));
    }
    Ok(fetched)
}

/// How large a source may be.
#[derive(Debug, Clone, Copy)]
struct SizeLimit {
    megabytes: u64,
}

impl SizeLimit {
    fn check(self, name: &str, bytes: u64) -> Result<(), StageError> {
        let megabytes = self.megabytes;
        if bytes <= megabytes.saturating_mul(1_000_000) {
            return Ok(());
        }
        Err(StageError::bad_input(format!(
            "{name} is larger than {megabytes} MB; split it, or raise LONGHAND_MAX_SOURCE_MB on the ingestion worker"
        )))
    }
}
