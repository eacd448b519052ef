//! Times and sizes as they are typed.

use std::time::Duration;

const TIMES: [(&str, u64); 4] = [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)];
/// As the engine's own settings understand them.
const SIZES: [(&str, u64); 4] = [("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];

pub(super) fn time(written: &str) -> Result<Duration, String> {
    let wrong = || format!("`{written}` is not a time such as 30m, 48h or 7d");
    amount(written, &TIMES).map(Duration::from_secs).ok_or_else(wrong)
}

pub(super) fn size(written: &str) -> Result<u64, String> {
    amount(written, &SIZES).ok_or_else(|| format!("`{written}` is not a size such as 500MB or 10GB"))
}

fn amount(written: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (number, factor) = units.iter().find_map(|(unit, factor)| Some((written.strip_suffix(unit)?, factor)))?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_parsed_or_refused() {
        for (written, seconds) in
            [("30m", Some(1800)), ("48h", Some(172_800)), ("7d", Some(604_800)), ("7", None), ("h", None)]
        {
            assert_eq!(time(written).ok().map(|time| time.as_secs()), seconds, "{written}");
        }
        for (written, bytes) in [("10GB", Some(10_000_000_000)), ("5MB", Some(5_000_000)), ("10", None), ("-1GB", None)]
        {
            assert_eq!(size(written).ok(), bytes, "{written}");
        }
    }
}
