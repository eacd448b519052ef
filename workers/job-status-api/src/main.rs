//! Tells over HTTP how jobs stand, and serves the web page.

fn main() {}
