//! What a Dockerfile may ask of the platform that it is built for, which is this machine's.

use std::collections::BTreeMap;

/// What this machine's processors are called in image names.
pub(crate) fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// The arguments that are there without being declared.
pub(super) fn arguments() -> BTreeMap<String, String> {
    let platform = format!("linux/{}", architecture());
    ["BUILD", "TARGET"]
        .iter()
        .flat_map(|kind| {
            [("PLATFORM", platform.as_str()), ("OS", "linux"), ("ARCH", architecture()), ("VARIANT", "")]
                .map(|(what, value)| (format!("{kind}{what}"), value.to_owned()))
        })
        .collect()
}
