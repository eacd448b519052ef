//! The engine and its BuildKit: the only part of this program that knows the types of
//! bollard, tonic and BuildKit's protocol. It speaks of addresses, sessions and solves, and
//! knows nothing of compose files, plans or how progress is shown.

mod address;
mod builder;
mod cache;
mod check;
mod connection;
mod credentials;
mod failure;
mod file_sync;
mod folder_walk;
mod health;
mod images;
mod path_patterns;
mod received_image;
mod secrets;
mod session;
mod solve;
mod ssh_agent;
mod status;
mod stream;
mod wording;

pub(crate) use address::certificates_of_environment;
pub(crate) use builder::Builder;
pub(crate) use cache::{CacheRecord, CacheRule, Worker};
pub(crate) use check::{Check, CheckWarning};
pub(crate) use connection::{Engine, EngineUnreachable, LoadedImage};
pub(crate) use failure::SolveFailure;
pub(crate) use file_sync::{Listing, SentLog, SharedDirectory};
pub(crate) use folder_walk::{Entry, Selection, Stamp, walk};
pub(crate) use path_patterns::{Matches, PathPatterns};
pub(crate) use received_image::image_pipe;
pub(crate) use session::{Offers, Session};
pub(crate) use solve::{Export, SolveRequest, Solved, Solver};
pub(crate) use status::{Status, StepLog, StepProgress, StepState, StepWarning};
pub(crate) use wording::StepSource;
