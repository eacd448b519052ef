//! The engine and its BuildKit: the only part of this program that knows the types of
//! bollard, tonic and BuildKit's protocol. It speaks of addresses, sessions and solves, and
//! knows nothing of compose files, plans or how progress is shown.

mod address;
mod connection;
mod credentials;
mod failure;
mod file_sync;
mod folder_walk;
mod health;
mod path_patterns;
mod secrets;
mod session;
mod solve;
mod ssh_agent;
mod status;

pub(crate) use connection::{Engine, EngineUnreachable, LoadedImage};
pub(crate) use failure::SolveFailure;
pub(crate) use file_sync::{Listing, SentLog, SharedDirectory};
pub(crate) use folder_walk::{Entry, Selection, Stamp, walk};
pub(crate) use session::{Offers, Session};
pub(crate) use solve::{Export, SolveRequest, Solved, Solver};
pub(crate) use status::{Status, StepProgress, StepWarning};
