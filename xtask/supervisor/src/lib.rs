//! Temporal and Longhand's programs as processes of this machine: what they are, where they listen, how they are started,
//! watched, restarted and stopped. For the tasks that run them, and for the tests. Nothing here prints.

pub mod embedded;
mod event;
mod log;
mod ports;
mod process;
mod program;
mod stack;
mod supervised;

pub use embedded::Embedded;
pub use event::Event;
pub use log::log_path;
pub use ports::Ports;
pub use process::Process;
pub use program::{Program, Readiness};
pub use stack::Stack;
