//! Features of packages that run in build scripts and macros count only where there is a build script.

fn main() {}
