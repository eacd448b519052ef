//! The hub that most models come from, or a mirror of it with the same paths.

/// Where the catalogue's addresses lead to.
pub(super) const HUB: &str = "https://huggingface.co";

/// The same address at a mirror, where it is one of the hub's.
pub(super) fn at_mirror(url: &str, mirror: &str) -> String {
    url.strip_prefix(HUB).map_or_else(|| url.to_owned(), |path| format!("{}{path}", mirror.trim_end_matches('/')))
}
