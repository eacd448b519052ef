//! Empty: what counts is what its Cargo.toml asks for.
