//! The tool as its users see it: its commands run on real projects and, where one answers, with
//! a real engine.

mod builds;
mod engine;
mod plans;
mod tool;
