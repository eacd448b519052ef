//! What every Longhand program shares: the job and its results, the Temporal workflows and the
//! contracts of their activities, the object store, configuration and telemetry.
//!
//! It knows nothing of codecs, recognisers or language models: those live in the workers.

pub mod api_keys;
pub mod batch_list;
pub mod config;
pub mod erasure;
pub mod error;
pub mod events;
pub mod formats;
pub mod hash;
pub mod health;
pub mod ids;
pub mod job;
pub mod llm;
pub mod native_env;
pub mod plan;
pub mod program;
pub mod redis;
pub mod references;
pub mod result;
pub mod run;
pub mod secret;
pub mod signal;
pub mod store;
pub mod telemetry;
pub mod temporal;
pub mod tls;
pub mod transcript;
pub mod webhook;
