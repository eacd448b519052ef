//! The one range of bytes that a request asks for.

use std::ops::Range;

/// What to send of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// No range was asked for, or none that is understood: both get everything.
    Everything,
    Only(Range<u64>),
    /// The range lies behind the end.
    Nothing,
}

/// Reads a `Range` header for an object of so many bytes. Several ranges at once are not understood, as players ask
/// for one.
pub(crate) fn part(header: Option<&str>, size: u64) -> Part {
    let Some((first, last)) = header.and_then(|header| header.strip_prefix("bytes=")?.split_once('-')) else {
        return Part::Everything;
    };
    let range = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => first..last.saturating_add(1).min(size),
        (Ok(first), Err(_)) if last.is_empty() => first..size,
        (Err(_), Ok(length)) if first.is_empty() => size.saturating_sub(length)..size,
        _ => return Part::Everything,
    };
    if range.is_empty() { Part::Nothing } else { Part::Only(range) }
}

#[cfg(test)]
mod tests {
    use super::{
        Part::{self, Everything, Nothing, Only},
        part,
    };

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        let cases: [(Option<&str>, Part); 12] = [
            (None, Everything),
            (Some("bytes=0-9"), Only(0..10)),
            (Some("bytes=5-"), Only(5..100)),
            (Some("bytes=-10"), Only(90..100)),
            (Some("bytes=-1000"), Only(0..100)),
            (Some("bytes=90-1000"), Only(90..100)),
            (Some("bytes=100-"), Nothing),
            (Some("bytes=-0"), Nothing),
            (Some("bytes=9-5"), Everything),
            (Some("bytes=0-1,5-6"), Everything),
            (Some("bytes=a-b"), Everything),
            (Some("lines=0-1"), Everything),
        ];
        for (header, expected) in cases {
            assert_eq!(part(header, 100), expected, "{header:?}");
        }
    }
}
