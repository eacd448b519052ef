//! Entity tags, and the conditions of requests on them.

use axum::http::{
    HeaderMap,
    header::{IF_NONE_MATCH, IF_RANGE},
};
use engine::hash::hexadecimal;
use sha2::{Digest, Sha256};

/// Names content by what it is made of.
pub(crate) fn of_content(content: impl AsRef<[u8]>) -> String {
    of_hash(&hexadecimal(&Sha256::digest(content)[..12]))
}

/// Names content whose hash is known.
pub(crate) fn of_hash(hash: &str) -> String {
    format!("\"{hash}\"")
}

/// Whether the client has what the tag names (`If-None-Match`), so that it need not be sent.
pub(crate) fn matches(tag: &str, headers: &HeaderMap) -> bool {
    let lists = headers.get_all(IF_NONE_MATCH).iter().filter_map(|list| list.to_str().ok());
    let mut known = lists.flat_map(|list| list.split(',')).map(str::trim);
    known.any(|known| known == "*" || known.trim_start_matches("W/") == tag)
}

/// Whether a range of what the tag names goes with the parts that the client has (`If-Range`), if it has any. Dates are
/// not compared.
pub(crate) fn range_applies(tag: &str, headers: &HeaderMap) -> bool {
    headers.get(IF_RANGE).is_none_or(|known| known.as_bytes() == tag.as_bytes())
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, header};

    use super::{matches, range_applies};

    const TAG: &str = "\"a1\"";

    #[test]
    fn conditions_are_read_as_the_standard_says() {
        for (header, is_match, applies) in [
            ("\"a1\"", true, true),
            ("W/\"a1\"", true, false),
            ("\"b2\", \"a1\"", true, false),
            ("\"b2\",W/\"a1\"", true, false),
            ("*", true, false),
            ("\"b2\"", false, false),
            ("a1", false, false),
            ("Thu, 26 Nov 2026 04:00:00 GMT", false, false),
        ] {
            let said = |name| HeaderMap::from_iter([(name, header.parse().unwrap())]);
            assert_eq!(matches(TAG, &said(header::IF_NONE_MATCH)), is_match, "If-None-Match: {header}");
            assert_eq!(range_applies(TAG, &said(header::IF_RANGE)), applies, "If-Range: {header}");
        }
        assert!(!matches(TAG, &HeaderMap::new()));
        assert!(range_applies(TAG, &HeaderMap::new()));
    }
}
