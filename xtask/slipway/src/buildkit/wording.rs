//! The one place where BuildKit's and the engine's English decides anything. Everything else goes by digests, details
//! and codes.
//!
//! For what is here, the protocol has nothing better to offer:
//!
//! - What a step takes from outside is in its `Op`, which `Status` does not carry. The same is in the provenance that
//!   BuildKit keeps with its build history, as materials; that lies in a content store whose service is not among the
//!   published messages of `bollard-buildkit-proto`, and engines before 24 keep none. Attestations in its place would
//!   change the images themselves.
//! - Whether a registry refused an image or was silent: BuildKit passes both on as `Unknown`, and as `Unavailable` now
//!   and then, without a detail that tells them apart.
//!
//! Words that change lead to a solve too many, or to a failure that is told as it is; never to a stale image.

/// What a step takes from outside of the build.
#[derive(Debug, PartialEq)]
pub(crate) enum StepSource<'a> {
    /// Nothing, or only what this program sends.
    None,
    /// The image of that name, and what it stands for where the step says so.
    Image { name: &'a str, digest: Option<&'a str> },
    /// The image's configuration, by that name, which may have a digest.
    ImageConfig { name: &'a str },
    /// Something else: a file from the web, a repository, or what a later version of BuildKit may bring.
    Other { what: &'a str },
}

/// Steps of BuildKit itself that take nothing, or only what this program sends.
const OF_BUILDKIT: [&str; 11] = [
    "[internal] load build definition from ",
    "[internal] load .dockerignore",
    "[internal] load build context",
    "[internal] preparing inline document",
    "[internal] setting cache mount permissions",
    "[auth] ",
    "exporting to image",
    "exporting cache",
    "preparing layers for inline cache",
    "importing cache manifest from ",
    "inferred cache manifest type",
];
/// Instructions that, without inputs, begin with an empty file system.
const OF_NOTHING: [&str; 2] = ["WORKDIR ", "RUN "];
const IMAGE: [&str; 2] = ["FROM ", "docker-image://"];
const IMAGE_CONFIG: [&str; 2] = ["load metadata for ", "resolve image config for docker-image://"];

/// How the engine tells that nobody spoke to it, whatever the registry is.
const SILENCE: [&str; 11] = [
    "dial tcp",
    "no such host",
    "i/o timeout",
    "connection refused",
    "connection reset",
    "network is unreachable",
    "TLS handshake timeout",
    "x509: ",
    "proxyconnect",
    "deadline exceeded",
    "Client.Timeout exceeded",
];

impl<'a> StepSource<'a> {
    /// Of a step without inputs, by its name as `Status` has it.
    pub(crate) fn of(step: &'a str) -> Self {
        if OF_BUILDKIT.iter().any(|known| step.starts_with(known)) {
            return Self::None;
        }
        let (stage, what) = step.strip_prefix('[').and_then(|rest| rest.split_once("] ")).unwrap_or(("", step));
        let after = |prefixes: &[&str]| prefixes.iter().find_map(|prefix| what.strip_prefix(prefix));
        if let Some(name) = after(&IMAGE_CONFIG) {
            Self::ImageConfig { name }
        } else if let Some(image) = after(&IMAGE) {
            let (name, digest) = image.split_once('@').map_or((image, None), |(name, digest)| (name, Some(digest)));
            Self::Image { name, digest }
        } else if stage.starts_with("context ") || OF_NOTHING.iter().any(|instruction| what.starts_with(instruction)) {
            // Named contexts are folders, which are sent, or images, whose metadata was loaded before.
            Self::None
        } else {
            Self::Other { what }
        }
    }
}

/// Whether a solve failed for want of a base image whose registry did not answer, rather than for what it answered.
pub(super) fn is_registry_unreachable(message: &str) -> bool {
    message.contains("failed to resolve source metadata") && SILENCE.iter().any(|words| message.contains(words))
}

/// Whether another build gave the same name to its image, or the engine removed layers that nobody used any more, at
/// the very moment.
pub(super) fn is_lost_race(message: &str) -> bool {
    let named = message.contains("image \"") && message.ends_with(": already exists");
    let unpacked = message.contains("failed to prepare extraction snapshot") && message.ends_with(": not found");
    named || unpacked
}

/// Without what every message of BuildKit begins with.
pub(super) fn without_wrapping(message: &str) -> &str {
    let message = message.strip_prefix("failed to solve: ").unwrap_or(message);
    message.strip_prefix("rpc error: code = Unknown desc = ").unwrap_or(message)
}

#[cfg(test)]
mod tests {
    use super::{StepSource, is_lost_race, is_registry_unreachable};

    #[test]
    fn what_a_step_takes_is_in_its_name() {
        let image = |name, digest| StepSource::Image { name, digest };
        let config = |name| StepSource::ImageConfig { name };
        let other = |what| StepSource::Other { what };
        for (step, expected) in [
            ("[internal] load build context", StepSource::None),
            ("[stage-0 1/2] WORKDIR /x", StepSource::None),
            ("exporting to image", StepSource::None),
            ("[context base] one", StepSource::None),
            ("[internal] load metadata for docker.io/library/a:1", config("docker.io/library/a:1")),
            ("[linux/amd64 internal] load metadata for a:1", config("a:1")),
            ("[context base] load metadata for one", config("one")),
            ("resolve image config for docker-image://docker/dockerfile:1", config("docker/dockerfile:1")),
            ("[1/2] FROM docker.io/library/a:1@sha256:12", image("docker.io/library/a:1", Some("sha256:12"))),
            ("FROM a:1", image("a:1", None)),
            ("docker-image://docker/dockerfile:1@sha256:1", image("docker/dockerfile:1", Some("sha256:1"))),
            ("[1/1] ADD http://example.com/u /u", other("ADD http://example.com/u /u")),
            ("https://example.com/u", other("https://example.com/u")),
            ("[internal] something new", other("something new")),
        ] {
            assert_eq!(StepSource::of(step), expected, "{step}");
        }
    }

    #[test]
    fn a_silent_registry_is_not_one_that_refuses() {
        for (message, is_silent) in [
            ("a:1: failed to resolve source metadata for a:1: dial tcp: lookup r on 1.1.1.1:53: no such host", true),
            ("a:1: failed to resolve source metadata for a:1: a:1: not found", false),
            ("process \"/bin/sh -c curl x\" did not complete: dial tcp", false),
        ] {
            assert_eq!(is_registry_unreachable(message), is_silent, "{message}");
        }
    }

    #[test]
    fn races_that_a_second_attempt_wins_are_known() {
        assert!(is_lost_race("failed to create image \"app\": already exists"));
        assert!(is_lost_race("failed to prepare extraction snapshot \"x\": parent y: not found"));
        assert!(!is_lost_race("a file: not found"));
    }
}
