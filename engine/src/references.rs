//! Which jobs need a recording. The store keeps a recording once, however many jobs of however many tenants came with
//! it; it belongs to all of them, and goes with the last.

use crate::{
    ids::{JobId, Tenant},
    store::{Store, StoreError, keys},
};

/// Says that the job needs the recording; once or many times is the same. Said before the job reads or writes anything
/// of it.
///
/// # Errors
/// The store's.
pub async fn add(store: &Store, audio_sha256: &str, job: &JobId) -> Result<(), StoreError> {
    store.write(&keys::reference(audio_sha256, job.as_str()), Vec::new()).await
}

/// The jobs that need the recording, in no order.
///
/// # Errors
/// The store's.
pub async fn jobs(store: &Store, audio_sha256: &str) -> Result<Vec<JobId>, StoreError> {
    let found = store.list(&keys::references(audio_sha256)).await?;
    Ok(found.iter().filter_map(|key| key.rsplit('/').next()?.parse().ok()).collect())
}

/// Whether a job of the tenant needs the recording: its bytes are the tenant's own then.
///
/// # Errors
/// The store's.
pub async fn belongs_to(store: &Store, audio_sha256: &str, tenant: &Tenant) -> Result<bool, StoreError> {
    Ok(jobs(store, audio_sha256).await?.iter().any(|job| job.tenant().as_ref() == Some(tenant)))
}
