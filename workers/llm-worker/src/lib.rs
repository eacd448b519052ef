//! The LLM worker: tasks on a finished transcript, answered by a language model.
//!
//! It knows neither audio nor how a transcript came to be, and only `provider` knows what kind of
//! model answers.

pub mod activities;
mod answer;
mod calls;
mod map_reduce;
mod notes;
mod patience;
mod provider;
mod reply_text;
mod schema;
mod sections;
mod tasks;

pub use answer::answer;
pub use calls::Progress;
pub use notes::Notes;
pub use provider::Model;
