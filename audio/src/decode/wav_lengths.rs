//! Wav files whose header does not say how long they are.
//!
//! A program that writes to a pipe cannot go back and fill the lengths in: it leaves 0 or a number as large as can be. One
//! that was killed leaves 0. Such a file goes on to its end. RF64 and BW64 keep their lengths in a chunk of their own, which
//! the demuxer does not know: it is told them where it looks.

use std::{
    fs::File,
    io::{ErrorKind, Result},
    ops::RangeInclusive,
    os::unix::fs::FileExt,
};

use super::source_file::Correction;

/// Lengths that no recording has by chance: ffmpeg leaves 0xFFFFFFFF, sox 0x7FFFF000, others something near them.
const MARKS: [RangeInclusive<u64>; 2] = [0x7FFF_0000..=0x8000_0000, 0xFFFF_0000..=0xFFFF_FFFF];
/// More chunks than this before the samples are no header that anybody wrote.
const MOST_CHUNKS: usize = 1_000;

/// What has to be read otherwise for the demuxer to go to the recording's end. Nothing for other files, and for those
/// whose header tells the truth or that were cut off.
pub(super) fn corrections(file: &File) -> Vec<Correction> {
    // A header that ends in the middle is for the demuxer to complain of.
    find_corrections(file).unwrap_or_default()
}

fn find_corrections(file: &File) -> Result<Vec<Correction>> {
    let is_long = match &bytes::<4>(file, 0)? {
        b"RIFF" => false,
        b"RF64" | b"BW64" => true,
        _ => return Ok(Vec::new()),
    };
    if bytes::<4>(file, 8)? != *b"WAVE" {
        return Ok(Vec::new());
    }
    let file_length = file.metadata()?.len();
    let data = find_data(file, file_length)?;
    let available = file_length - data.start;
    let is_open = match data.length {
        0 => available > 0 && !is_chunk(file, data.start, available)?,
        // 64 bits hold any length, and RF64's mark is all of them set.
        length if is_long => length > i64::MAX as u64,
        length => length > available && MARKS.iter().any(|marks| marks.contains(&length)),
    };
    let riff_length = number(file, 4)?;
    if !is_long && !is_open && u64::from(riff_length) + 8 >= data.start + data.length {
        return Ok(Vec::new());
    }
    let length = if is_open { available } else { data.length };
    Ok(vec![
        Correction { at: 0, bytes: *b"RIFF" },
        // Neither is taken for a length: the demuxer reads on to the end.
        Correction { at: 4, bytes: u32::MAX.to_le_bytes() },
        Correction { at: data.start - 4, bytes: u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes() },
    ])
}

/// The samples: where they begin, and their length as the header has it.
struct Data {
    start: u64,
    length: u64,
}

fn find_data(file: &File, file_length: u64) -> Result<Data> {
    let (mut at, mut long_length) = (12, None);
    for _ in 0..MOST_CHUNKS {
        let length = u64::from(number(file, at + 4)?);
        match &bytes::<4>(file, at)? {
            b"data" => {
                let length = long_length.filter(|_| length == u64::from(u32::MAX)).unwrap_or(length);
                return Ok(Data { start: at + 8, length });
            }
            b"ds64" => long_length = Some(u64::from_le_bytes(bytes(file, at + 16)?)),
            _ => {}
        }
        at += 8 + length.next_multiple_of(2);
        if at >= file_length {
            break;
        }
    }
    Err(ErrorKind::NotFound.into())
}

/// Whether a chunk begins here rather than samples.
fn is_chunk(file: &File, at: u64, available: u64) -> Result<bool> {
    if available < 8 {
        return Ok(false);
    }
    let is_name = bytes::<4>(file, at)?.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b' ');
    Ok(is_name && u64::from(number(file, at + 4)?) <= available - 8)
}

fn number(file: &File, at: u64) -> Result<u32> {
    Ok(u32::from_le_bytes(bytes(file, at)?))
}

fn bytes<const N: usize>(file: &File, at: u64) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    file.read_exact_at(&mut bytes, at)?;
    Ok(bytes)
}
