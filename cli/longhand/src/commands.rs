//! The commands, one a file.

pub(crate) mod batch;
pub(crate) mod cancel;
pub(crate) mod completions;
pub(crate) mod delete;
pub(crate) mod fetch;
pub(crate) mod keys;
pub(crate) mod list;
pub(crate) mod llm;
pub(crate) mod result;
pub(crate) mod show;
pub(crate) mod store;
pub(crate) mod transcribe;
pub(crate) mod watch;
