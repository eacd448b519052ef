//! What the HTTP services have in common: one call of [`serve`] gives a service its connections,
//! keys, limits, health, metrics, documentation and errors. A service brings its routes.

mod access;
mod browsers;
mod connections;
mod dependencies;
mod documentation;
mod error;
mod extract;
mod health;
mod keys;
mod links;
mod metrics;
mod observe;
mod quota;
mod rate_limit;
mod router;
mod server;

pub use access::Client;
pub use dependencies::{Dependencies, OpenError, Temporal};
pub use error::{ApiError, ErrorBody, ErrorDetail, ErrorKind};
pub use extract::{Json, Path, Query, parse_json, unread_body};
pub use links::{JobLinks, Links};
pub use quota::JobQuota;
pub use router::Api;
pub use server::{NotReady, ServeError, ask_ready, serve, stop_signal};
