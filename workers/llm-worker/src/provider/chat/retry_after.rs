//! When a busy server wants to be asked again.

use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderMap, RETRY_AFTER};

/// Finer than HTTP's own header, and sent beside it by OpenAI and others.
const RETRY_AFTER_MS: &str = "retry-after-ms";

/// The wait that a response asks for: milliseconds, seconds, or a date compared with `now`.
pub(super) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let number = |name: &str| text(name)?.parse::<f64>().ok();
    if let Some(milliseconds) = number(RETRY_AFTER_MS) {
        return Duration::try_from_secs_f64(milliseconds / 1000.0).ok();
    }
    if let Some(seconds) = number(RETRY_AFTER.as_str()) {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = httpdate::parse_http_date(text(RETRY_AFTER.as_str())?).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

    use super::retry_after;

    #[test]
    fn every_form_of_the_header_is_understood() {
        let now = httpdate::parse_http_date("Mon, 01 Jun 2026 12:00:00 GMT").unwrap();
        for (name, value, expected) in [
            ("retry-after", "2", Some(2000)),
            ("retry-after", " 0.5 ", Some(500)),
            ("retry-after", "Mon, 01 Jun 2026 12:00:30 GMT", Some(30_000)),
            ("retry-after", "Mon, 01 Jun 2026 11:00:00 GMT", Some(0)),
            ("retry-after-ms", "40", Some(40)),
            ("retry-after", "-1", None),
            ("retry-after", "NaN", None),
            ("retry-after", "soon", None),
            ("date", "Mon, 01 Jun 2026 12:00:30 GMT", None),
        ] {
            check(name, value, now, expected);
        }
    }

    fn check(name: &str, value: &str, now: SystemTime, expected_ms: Option<u64>) {
        let header = (HeaderName::try_from(name).unwrap(), HeaderValue::from_str(value).unwrap());
        let headers = HeaderMap::from_iter([header]);
        assert_eq!(retry_after(&headers, now), expected_ms.map(Duration::from_millis), "{name}: {value}");
    }
}
