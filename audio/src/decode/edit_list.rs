//! What of an mp4 track is to be played, and when, which the demuxer does not tell.
//!
//! An edit list says which parts of a track are heard: it leaves out the encoder's delay at the front, and whatever was cut
//! away in an editor without the file being written anew. What was cut away is private. The list is read from the file
//! itself, and one that is missing or damaged means that the track is played as it is.

use std::{
    fs::File,
    io::{Error, ErrorKind, Result},
    ops::Range,
    os::unix::fs::FileExt,
};

/// The parts of a track that are played, one after the other. Empty where all of it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct EditList {
    pub(super) parts: Vec<Part>,
}

/// In seconds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Part {
    /// Where it begins in the recording.
    pub(super) at_s: f64,
    /// What of the track it plays.
    pub(super) media_s: Range<f64>,
}

impl EditList {
    /// Whether its parts come in the order of the track: then they can be played while it is read.
    pub(super) fn is_in_order(&self) -> bool {
        self.parts.windows(2).all(|two| two[0].media_s.end <= two[1].media_s.start)
    }
}

/// The edit list of the track of an id. Other readers of the file are not disturbed.
pub(super) fn edit_list(file: &File, track_id: u32) -> EditList {
    let tracks = tracks(file).unwrap_or_default();
    tracks.into_iter().find(|track| track.id == track_id).map(|track| track.edits).unwrap_or_default()
}

/// How long an audio track plays that has an edit list, in seconds. Audio tracks are counted from 0.
pub(super) fn played_s(file: &File, number: usize) -> Option<f64> {
    let track = tracks(file).ok()?.into_iter().filter(|track| track.is_sound).nth(number)?;
    let Part { at_s, media_s } = track.edits.parts.last()?;
    Some(at_s + media_s.end - media_s.start).filter(|seconds| seconds.is_finite())
}

struct Track {
    id: u32,
    is_sound: bool,
    edits: EditList,
}

fn tracks(file: &File) -> Result<Vec<Track>> {
    let movie = child(file, 0..file.metadata()?.len(), b"moov")?;
    let header = child(file, movie.clone(), b"mvhd")?;
    let timescale = versioned_field(file, &header)?;
    // The list of a file in fragments is of what was there when it was begun: its durations mean nothing.
    let is_fragmented = child(file, movie.clone(), b"mvex").is_ok();
    let (mut rest, mut tracks) = (movie, Vec::new());
    while let Ok(track) = child(file, rest.clone(), b"trak") {
        rest.start = track.end;
        let id = versioned_field(file, &child(file, track.clone(), b"tkhd")?)?;
        let media = child(file, track.clone(), b"mdia")?;
        let handler = child(file, media.clone(), b"hdlr")?;
        let is_sound = number(file, handler.start + 8)?.to_be_bytes() == *b"soun";
        let media = versioned_field(file, &child(file, media, b"mdhd")?)?;
        let scales = Scales { movie: timescale, media, is_fragmented };
        let list = child(file, track, b"edts").and_then(|edits| child(file, edits, b"elst"));
        let edits = list.and_then(|list| parts(file, list, scales)).unwrap_or_default();
        tracks.push(Track { id, is_sound, edits });
    }
    Ok(tracks)
}

/// Units per second, of durations and of places in the track.
#[derive(Clone, Copy)]
struct Scales {
    movie: u32,
    media: u32,
    is_fragmented: bool,
}

/// The content of the first box of a kind.
fn child(file: &File, within: Range<u64>, kind: &[u8; 4]) -> Result<Range<u64>> {
    /// A file of millions of boxes is made to be slow.
    const MOST_BOXES: usize = 100_000;
    let mut at = within.start;
    for _ in 0..MOST_BOXES {
        if at + 8 > within.end {
            break;
        }
        let [length, found] = [number(file, at)?, number(file, at + 4)?];
        let (header, length) = match length {
            0 => (8, within.end - at),
            1 => (16, long_number(file, at + 8)?),
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

/// The first field after the two times of a movie's, a track's or a media's header: the id of a track, the time scale of
/// the others. The header's version says how wide the times are.
fn versioned_field(file: &File, header: &Range<u64>) -> Result<u32> {
    let wide = number(file, header.start)? >> 24 == 1;
    number(file, header.start + if wide { 20 } else { 12 })
}

fn parts(file: &File, list: Range<u64>, scales: Scales) -> Result<EditList> {
    /// More edits than this are no list that anybody wrote.
    const MOST_EDITS: u64 = 10_000;
    let wide = number(file, list.start)? >> 24 == 1;
    let length = if wide { 20 } else { 12 };
    let count = u64::from(number(file, list.start + 4)?).min(MOST_EDITS);
    let (mut at_s, mut parts) = (0.0, Vec::new());
    for edit in (0..count).map(|index| list.start + 8 + index * length) {
        let (duration, media_time) = match wide {
            true => (long_number(file, edit)?, long_number(file, edit + 8)? as i64),
            false => (u64::from(number(file, edit)?), i64::from(number(file, edit + 4)? as i32)),
        };
        let duration_s = duration as f64 / f64::from(scales.movie.max(1));
        if media_time >= 0 {
            let start = media_time as f64 / f64::from(scales.media.max(1));
            // An edit without a duration plays all that is left.
            let end = if duration == 0 || scales.is_fragmented { f64::INFINITY } else { start + duration_s };
            parts.push(Part { at_s, media_s: start..end });
        }
        at_s += duration_s;
    }
    Ok(EditList { parts })
}

fn number(file: &File, at: u64) -> Result<u32> {
    let mut bytes = [0; 4];
    file.read_exact_at(&mut bytes, at)?;
    Ok(u32::from_be_bytes(bytes))
}

fn long_number(file: &File, at: u64) -> Result<u64> {
    Ok(u64::from(number(file, at)?) << 32 | u64::from(number(file, at + 4)?))
}
