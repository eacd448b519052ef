//! What the HTTP services have in common: a [`Service`] has its connections, keys, limits, health, metrics,
//! documentation and errors from here. A service brings its routes.

mod access;
mod body_deadline;
mod connections;
mod cors;
mod dependencies;
mod documentation;
mod error;
mod extract;
mod flags;
mod health;
mod hosts;
mod key_file;
mod links;
mod metrics;
mod observe;
mod own_job;
mod public_path;
mod quota;
mod rate_limit;
mod readiness;
mod router;
mod scope;
mod service;
mod sse;
mod stopping;
mod unfinished;

pub use access::Client;
pub use dependencies::{Dependencies, OpenError, Temporal};
pub use error::{ApiError, ErrorBody, ErrorDetail, ErrorKind};
pub use extract::{Json, Path, Query, body_error, parse_json, refuse_nul};
pub use flags::Flags;
pub use links::{JobLinks, Links};
pub use own_job::OwnJob;
pub use quota::JobQuota;
pub use readiness::{NotReady, check_ready};
pub use router::Api;
pub use scope::{JobName, Scope};
pub use service::{ServeError, Service, StartError};
pub use sse::{event_stream, json_event};
pub use unfinished::Unfinished;
