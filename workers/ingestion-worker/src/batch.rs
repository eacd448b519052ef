//! Reads a batch's list of recordings page by page.

use engine::{
    batch_list::{BatchEntry, BatchList},
    error::StageError,
    store::Store,
    temporal::contracts::BatchPage,
};

/// Bytes of JSON in a page: a page is a payload, and those stay far below Temporal's limits.
const MOST_BYTES: usize = 32 * 1024;

/// The entries from an offset on, as many as fit a payload and at least one; none at the list's end.
pub(crate) async fn read_page(store: &Store, page: &BatchPage) -> Result<Vec<BatchEntry>, StageError> {
    let key = &page.requests_key;
    let list = BatchList::find(store, key).await?;
    let list =
        list.ok_or_else(|| StageError::bad_input(format!("the store has no list {key}; submit the batch again")))?;
    let mut bytes = 0;
    let mut entries = Vec::new();
    for entry in list.entries(store, page.offset).await? {
        bytes += serde_json::to_vec(&entry).map_err(|error| StageError::bad_input(error.to_string()))?.len();
        if bytes > MOST_BYTES && !entries.is_empty() {
            break;
        }
        entries.push(entry);
    }
    Ok(entries)
}
