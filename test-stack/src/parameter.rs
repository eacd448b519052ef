//! What whoever runs a long test by hand may choose.

/// The number in the variable, or what the test takes where nobody says so.
pub fn parameter(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |number| number.parse().unwrap())
}
