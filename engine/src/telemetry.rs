//! Logs, in one place for every program.
