//! The one range of bytes that a request asks for.

use std::ops::Range;

/// What a request asks for of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RequestedRange {
    /// No range was asked for, or none that is understood: both get the whole object.
    Whole,
    Partial(Range<u64>),
    /// The range begins after the end.
    Unsatisfiable,
}

/// Reads a `Range` header for an object of so many bytes. Several ranges at once are not understood, as players ask
/// for one.
pub(crate) fn requested_range(header: Option<&str>, size: u64) -> RequestedRange {
    let Some((first, last)) = header.and_then(|header| header.strip_prefix("bytes=")?.split_once('-')) else {
        return RequestedRange::Whole;
    };
    let range = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => first..last.saturating_add(1).min(size),
        (Ok(first), Err(_)) if last.is_empty() => first..size,
        (Err(_), Ok(length)) if first.is_empty() => size.saturating_sub(length)..size,
        _ => return RequestedRange::Whole,
    };
    if range.is_empty() { RequestedRange::Unsatisfiable } else { RequestedRange::Partial(range) }
}

#[cfg(test)]
mod tests {
    use super::{
        RequestedRange::{self, Partial, Unsatisfiable, Whole},
        requested_range,
    };

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        let cases: [(Option<&str>, RequestedRange); 12] = [
            (None, Whole),
            (Some("bytes=0-9"), Partial(0..10)),
            (Some("bytes=5-"), Partial(5..100)),
            (Some("bytes=-10"), Partial(90..100)),
            (Some("bytes=-1000"), Partial(0..100)),
            (Some("bytes=90-1000"), Partial(90..100)),
            (Some("bytes=100-"), Unsatisfiable),
            (Some("bytes=-0"), Unsatisfiable),
            (Some("bytes=9-5"), Whole),
            (Some("bytes=0-1,5-6"), Whole),
            (Some("bytes=a-b"), Whole),
            (Some("lines=0-1"), Whole),
        ];
        for (header, expected) in cases {
            assert_eq!(requested_range(header, 100), expected, "{header:?}");
        }
    }
}
