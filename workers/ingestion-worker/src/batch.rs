//! Reads a batch's list of requests page by page.

use engine::{
    error::StageError,
    store::Store,
    temporal::contracts::{BatchEntry, BatchPage},
};

/// Bytes of JSON in a page: a page is a payload, and those stay far below Temporal's limits.
const MOST_BYTES: usize = 32 * 1024;

/// The entries from an offset on, as many as fit a payload and at least one.
pub(crate) async fn read_page(store: &Store, page: &BatchPage) -> Result<Vec<BatchEntry>, StageError> {
    let all: Vec<BatchEntry> = store.read_json(&page.requests_key).await?;
    let mut bytes = 0;
    let mut entries = Vec::new();
    for entry in all.into_iter().skip(page.offset as usize) {
        bytes += serde_json::to_vec(&entry).map_err(|error| StageError::bad_input(error.to_string()))?.len();
        if bytes > MOST_BYTES && !entries.is_empty() {
            break;
        }
        entries.push(entry);
    }
    Ok(entries)
}
