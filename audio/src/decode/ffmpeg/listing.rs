//! What ffmpeg says of a file, read.

/// What ffmpeg found in a file.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in super::super) struct Listing {
    /// The format's short name.
    pub(in super::super) container: String,
    /// As the header has it. `None` where there is none, or it was estimated.
    pub(in super::super) duration_s: Option<f64>,
    pub(in super::super) tracks: Vec<Track>,
    /// There are moving pictures, too, which may go on longer than the sound.
    pub(in super::super) has_video: bool,
    /// What was wrong, where nothing was found.
    pub(in super::super) complaint: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Track {
    pub(in super::super) codec: String,
    /// In hertz; 0 where it is not known.
    pub(in super::super) sample_rate: u32,
}

/// Reads what ffmpeg printed on its only input.
pub(super) fn listing(words: &str) -> Listing {
    let mut listing = Listing::default();
    let mut is_estimated = false;
    for line in words.lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("Input #0, ") {
            let names = rest.split(", from").next().unwrap_or_default();
            listing.container = names.split(',').next().unwrap_or_default().to_owned();
        } else if let Some(rest) = line.strip_prefix("Duration: ") {
            listing.duration_s = rest.split(',').next().and_then(seconds);
        } else if line.starts_with("Stream #0:") {
            if let Some((_, audio)) = line.split_once(": Audio: ") {
                listing.tracks.push(track(audio));
            }
            listing.has_video |= line.contains(": Video: ") && !line.contains("(attached pic)");
        }
        is_estimated |= line.contains("Estimating duration");
    }
    if is_estimated {
        listing.duration_s = None;
    }
    if listing.container.is_empty() {
        listing.complaint = words.lines().last().map(|line| line.trim_start_matches("file:/dev/stdin: ").to_owned());
    }
    listing
}

fn track(audio: &str) -> Track {
    let codec = audio.split([',', ' ']).next().unwrap_or_default().to_owned();
    let rate = audio.split(", ").find_map(|field| field.strip_suffix(" Hz")?.parse().ok());
    Track { codec, sample_rate: rate.unwrap_or_default() }
}

/// `00:00:11.05`; nothing for `N/A`.
fn seconds(clock: &str) -> Option<f64> {
    let mut fields = clock.split(':').map(|field| field.parse::<f64>().ok());
    let (hours, minutes, seconds) = (fields.next()??, fields.next()??, fields.next()??);
    // The sum would have more digits than were printed.
    Some(((3_600.0 * hours + 60.0 * minutes + seconds) * 100.0).round() / 100.0)
}

#[cfg(test)]
mod tests {
    use super::{Listing, Track, listing};

    #[test]
    fn what_ffmpeg_prints_is_understood() {
        let track = |codec: &str, sample_rate| Track { codec: codec.to_owned(), sample_rate };
        for (words, expected) in [
            (
                "Input #0, matroska,webm, from 'file:/dev/stdin':\n  Metadata:\n    ENCODER         : Lavf59.27.100\n  \
                 Duration: 00:01:11.04, start: 0.000000, bitrate: 97 kb/s\n  \
                 Stream #0:0: Video: h264 (High), yuv420p, 64x48, 5 fps\n  \
                 Stream #0:1(eng): Audio: ac3, 32000 Hz, 5.1(side), fltp, 96 kb/s\n  \
                 Stream #0:2: Audio: aac (LC) (mp4a / 0x6134706D), 48000 Hz, stereo, fltp\n\
                 At least one output file must be specified\n",
                Listing {
                    container: "matroska".to_owned(),
                    duration_s: Some(71.04),
                    tracks: vec![track("ac3", 32_000), track("aac", 48_000)],
                    has_video: true,
                    complaint: None,
                },
            ),
            (
                "[mp3 @ 0x55] Estimating duration from bitrate, this may be inaccurate\n\
                 Input #0, mp3, from 'file:/dev/stdin':\n  Duration: 00:00:11.05, bitrate: 32 kb/s\n  \
                 Stream #0:0: Audio: mp3, 44100 Hz, mono, fltp, 32 kb/s\n  \
                 Stream #0:1: Video: png, rgb24, 9x9 (attached pic)\n",
                Listing { container: "mp3".to_owned(), tracks: vec![track("mp3", 44_100)], ..Listing::default() },
            ),
            (
                "file:/dev/stdin: Invalid data found when processing input\n",
                Listing {
                    complaint: Some("Invalid data found when processing input".to_owned()),
                    ..Listing::default()
                },
            ),
        ] {
            assert_eq!(listing(words), expected, "{words}");
        }
    }
}
