//! What people call a recording. Anybody may give a name, so it is untrusted text: bounded, on one line, and with nothing in
//! it that is not seen.

use serde::{Deserialize, Deserializer};
use url::Url;

/// Characters that a name may have.
const LONGEST: usize = 255;

/// A name as it is kept; `None` where nothing is left of it.
pub fn cleaned(name: &str) -> Option<String> {
    let seen: String = name.chars().filter(|letter| !is_unseen(*letter)).collect();
    let bounded: String = seen.trim().chars().take(LONGEST).collect();
    Some(bounded.trim_end().to_owned()).filter(|name| !name.is_empty())
}

/// Control characters, and those that turn the direction of what follows, by which one name can look like another.
fn is_unseen(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What a file or an object is called, by its path or key. One that is the hash of its bytes, as of uploads, is no name.
pub(crate) fn of_path(path: &str) -> Option<String> {
    let is_hash = |name: &String| name.len() >= 32 && name.bytes().all(|digit| digit.is_ascii_hexdigit());
    path.rsplit('/').find_map(cleaned).filter(|name| !is_hash(name))
}

/// The last part of an address that has one, else its host.
pub(crate) fn of_address(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    let last = url.path_segments().and_then(|mut parts| parts.rfind(|part| !part.is_empty()));
    let last = last.map(|part| percent_encoding::percent_decode_str(part).decode_utf8_lossy());
    last.and_then(|part| cleaned(&part)).or_else(|| url.host_str().and_then(cleaned))
}

/// For fields of serde.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(name: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(name)?.as_deref().and_then(cleaned))
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, cleaned, of_address, of_path};

    #[test]
    fn names_are_short_and_seen_as_they_are() {
        for (given, kept) in [
            ("talk.mp3", Some("talk.mp3")),
            ("  Gespräch mit Ада  ", Some("Gespräch mit Ада")),
            ("a\0b\r\nc\u{1b}[31m", Some("abc[31m")),
            ("evil\u{202e}3pm.exe", Some("evil3pm.exe")),
            ("<script>alert(1)</script>", Some("<script>alert(1)</script>")),
            ("\n\t \u{7}", None),
            ("", None),
        ] {
            assert_eq!(cleaned(given).as_deref(), kept, "{given:?}");
        }
        assert_eq!(cleaned(&"ä".repeat(1_000)).unwrap().chars().count(), LONGEST);
    }

    #[test]
    fn a_recording_is_called_as_its_file_or_the_end_of_its_address() {
        let upload = format!("uploads/{}", "5e".repeat(32));
        for (path, name) in [
            ("/srv/talks/Talk 1.mp3", Some("Talk 1.mp3")),
            ("talks/", Some("talks")),
            ("decade", Some("decade")),
            (&upload, None),
            ("uploads/incoming/01a223508e0e77dfa3dc506a619a38b5", None),
        ] {
            assert_eq!(of_path(path).as_deref(), name, "{path}");
        }
        for (address, name) in [
            ("https://example.org/talks/caf%C3%A9.ogg?key=secret#t", Some("café.ogg")),
            ("https://example.org/", Some("example.org")),
            ("https://example.org/talks/%0d%0a/", Some("example.org")),
            ("no address", None),
        ] {
            assert_eq!(of_address(address).as_deref(), name, "{address}");
        }
    }
}
