//! What happens to a job, as it happens: progress, text as it is recognised, the end.
//!
//! ```text
//! Temporal (progress), store (checkpoints) -> follower, one for each job -> snapshot -> any number of streams
//! ```
//! Everything comes from Temporal and the store, so nothing is lost when a service starts anew or a message goes
//! astray: Redis only tells a follower that it is worth looking sooner.

mod chunk_set;
mod follower;
mod snapshot;
mod wakeups;

pub use chunk_set::{BadChunkSet, ChunkSet};
pub use follower::{FollowError, Followers};
pub use snapshot::{Ended, JobEvent, Snapshot};
pub use wakeups::{Announcer, Wakeups};
