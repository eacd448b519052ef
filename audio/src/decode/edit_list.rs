//! Where an mp4 track begins, which the demuxer does not tell.
//!
//! An edit list says how much of a track's front is the encoder's delay and not to be played, and
//! how much later than the film the sound begins. It is read from the file itself, and one that
//! is missing or damaged means that the track is played as it is.

use std::{
    fs::File,
    io::{Error, ErrorKind, Result},
    ops::Range,
    os::unix::fs::FileExt,
};

/// The beginning of a track according to its edit list.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct TrackStart {
    /// Seconds of silence before the track.
    pub(super) silence_s: f64,
    /// What is not to be played at the track's front, in its own time scale.
    pub(super) skipped: u32,
}

/// Reads a track's edit list. Other readers of the file are not disturbed.
pub(super) fn track_start(file: &File, track_id: u32) -> TrackStart {
    find_edit_list(file, track_id).unwrap_or_default()
}

fn find_edit_list(file: &File, track_id: u32) -> Result<TrackStart> {
    let movie = child(file, 0..file.metadata()?.len(), b"moov")?;
    let header = child(file, movie.clone(), b"mvhd")?;
    let timescale = versioned_field(file, &header)?;
    let mut rest = movie;
    loop {
        let track = child(file, rest.clone(), b"trak")?;
        rest.start = track.end;
        let header = child(file, track.clone(), b"tkhd")?;
        if versioned_field(file, &header)? == track_id {
            let edits = child(file, track, b"edts")?;
            return first_edits(file, child(file, edits, b"elst")?, timescale);
        }
    }
}

/// The content of the first box of a kind.
fn child(file: &File, within: Range<u64>, kind: &[u8; 4]) -> Result<Range<u64>> {
    let mut at = within.start;
    while at + 8 <= within.end {
        let [length, found] = [number(file, at)?, number(file, at + 4)?];
        let (header, length) = match length {
            0 => (8, within.end - at),
            1 => (16, u64::from(number(file, at + 8)?) << 32 | u64::from(number(file, at + 12)?)),
            length => (8, u64::from(length)),
        };
        let end = at.checked_add(length).filter(|end| length >= header && *end <= within.end);
        let end = end.ok_or(Error::from(ErrorKind::InvalidData))?;
        if found.to_be_bytes() == *kind {
            return Ok(at + header..end);
        }
        at = end;
    }
    Err(ErrorKind::NotFound.into())
}

/// The first field after the two times of a movie's or a track's header: the time scale of the
/// one, the id of the other. The header's version says how wide the times are.
fn versioned_field(file: &File, header: &Range<u64>) -> Result<u32> {
    let wide = number(file, header.start)? >> 24 == 1;
    number(file, header.start + if wide { 20 } else { 12 })
}

/// Adds the edits up to the first one that plays something.
fn first_edits(file: &File, list: Range<u64>, timescale: u32) -> Result<TrackStart> {
    /// More empty edits than this are no list that anybody wrote.
    const MOST_EDITS: u64 = 16;
    let wide = number(file, list.start)? >> 24 == 1;
    // Of wide numbers, the lower half is more than any recording needs.
    let (length, duration_at, media_time_at) = if wide { (20, 4, 12) } else { (12, 0, 4) };
    let count = u64::from(number(file, list.start + 4)?).min(MOST_EDITS);
    let mut start = TrackStart::default();
    for edit in (0..count).map(|index| list.start + 8 + index * length) {
        let duration = number(file, edit + duration_at)?;
        let media_time = number(file, edit + media_time_at)?;
        if media_time != u32::MAX {
            return Ok(TrackStart { skipped: media_time, ..start });
        }
        start.silence_s += f64::from(duration) / f64::from(timescale.max(1));
    }
    Ok(start)
}

fn number(file: &File, at: u64) -> Result<u32> {
    let mut bytes = [0; 4];
    file.read_exact_at(&mut bytes, at)?;
    Ok(u32::from_be_bytes(bytes))
}
