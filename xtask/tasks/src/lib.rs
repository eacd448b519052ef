//! What every program behind `cargo xtask` needs: how tasks end, where they write, which system packages they want,
//! and how they start other programs. It knows nothing of what the tasks do.

mod cargo_environment;
mod disk;
pub mod findings;
mod free_port;
mod halt;
mod interrupt;
mod last_lines;
pub mod output;
pub mod packages;
pub mod process_group;
mod status_line;
mod watch;

pub use cargo_environment::forget_own_package;
pub use disk::free_bytes;
pub use free_port::free_port;
pub use halt::{Halt, exit_code};
pub use interrupt::Interrupt;
pub use last_lines::last_lines;
pub use status_line::StatusLine;
pub use watch::watch;
