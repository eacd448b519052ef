//! Lengths of time as people write them.

/// Seconds as `m:ss` or `h:mm:ss`.
pub(crate) fn format_clock(seconds: f64) -> String {
    let seconds = seconds.max(0.0).round() as u64;
    match seconds / 3600 {
        0 => format!("{}:{:02}", seconds / 60, seconds % 60),
        hours => format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
    }
}

/// Seconds with a decimal below a minute, as a clock above.
pub(crate) fn format_duration(seconds: f64) -> String {
    if seconds < 60.0 { format!("{seconds:.1} s") } else { format_clock(seconds) }
}

/// How long ago something was, by its largest unit.
pub(crate) fn format_ago(seconds: f64) -> String {
    let seconds = seconds.max(0.0) as u64;
    match seconds {
        0..60 => format!("{seconds} s ago"),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..86_400 => format!("{} h ago", seconds / 3600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::{format_ago, format_clock, format_duration};

    #[test]
    fn lengths_of_time_are_readable() {
        for (seconds, on_a_clock, as_taken, before) in [
            (0.0, "0:00", "0.0 s", "0 s ago"),
            (9.96, "0:10", "10.0 s", "9 s ago"),
            (61.0, "1:01", "1:01", "1 min ago"),
            (3_661.4, "1:01:01", "1:01:01", "1 h ago"),
            (200_000.0, "55:33:20", "55:33:20", "2 d ago"),
        ] {
            assert_eq!(
                (format_clock(seconds).as_str(), format_duration(seconds).as_str(), format_ago(seconds).as_str()),
                (on_a_clock, as_taken, before)
            );
        }
    }
}
