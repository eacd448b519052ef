//! From where a recording is to a local file of known hash.
//!
//! Paths are read in place; objects and URLs are copied to a temporary file on the way. It knows
//! nothing of what the bytes mean.

mod address;
mod local;
mod ssrf_guard;
mod temporary;
pub(crate) mod url;

use std::fs::File;

use engine::{config::IngestSettings, error::StageError, job::Source, store::Store};
use futures_util::TryStreamExt;
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

/// Gets hold of a source's bytes and hashes them.
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
        Source::Object(key) => {
            let pieces = store.stream(key).await?.map_err(StageError::from);
            temporary::copy(pieces, &source.to_string(), limit).await?
        }
        Source::Url(url) => url::fetch(url, settings.allow_private_urls, limit).await?,
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
