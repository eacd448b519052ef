//! The tasks, one file each. A task is its instructions and the shape of its output; how long
//! transcripts are cut down, how answers are checked and which model answers is settled elsewhere.

pub(crate) mod actions;
pub(crate) mod ask;
pub(crate) mod chapters;
pub(crate) mod summary;
