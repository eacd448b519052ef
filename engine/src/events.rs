//! What happens to a job, as it happens: progress, text as it is recognised, the end.
//!
//! ```text
//! Temporal (progress), store (checkpoints) -> reader -> watcher, one for each job -> any number of subscriptions
//! ```
//! Everything comes from Temporal and the store, so nothing is lost when a service starts anew or a message goes
//! astray: Redis only notifies a watcher that it is worth reading sooner.

mod chunk_set;
mod event_id;
mod job_reader;
mod job_watcher;
mod job_watchers;
mod listing;
mod notifications;
mod snapshot;

pub use chunk_set::{BadChunkSet, ChunkSet};
pub use event_id::EventId;
pub use job_reader::WatchError;
pub use job_watcher::Subscription;
pub use job_watchers::JobWatchers;
pub use notifications::{Announcer, Notifications};
pub use snapshot::{Ended, JobEvent, Snapshot};
