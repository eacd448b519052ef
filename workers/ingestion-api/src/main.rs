//! Takes recordings in over HTTP and starts jobs.

fn main() {}
