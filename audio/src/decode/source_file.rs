//! The recording's file as the demuxers read it: at a position of its own, with some bytes of its header put right.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::FileExt,
};

use symphonia::core::io::MediaSource;

/// Other readers of the file are not disturbed.
pub(super) struct SourceFile {
    file: File,
    length: u64,
    position: u64,
    corrections: Vec<Correction>,
}

/// Four bytes that are read in place of those in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Correction {
    pub(super) at: u64,
    pub(super) bytes: [u8; 4],
}

impl SourceFile {
    pub(super) fn new(file: File, corrections: Vec<Correction>) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(Self { file, length, position: 0, corrections })
    }
}

impl Read for SourceFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.position)?;
        for Correction { at, bytes } in &self.corrections {
            for (place, byte) in (*at..).zip(bytes) {
                let within = place.checked_sub(self.position).and_then(|within| usize::try_from(within).ok());
                if let Some(wrong) = within.and_then(|within| buffer[..read].get_mut(within)) {
                    *wrong = *byte;
                }
            }
        }
        self.position += read as u64;
        Ok(read)
    }
}

impl Seek for SourceFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.length.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

impl MediaSource for SourceFile {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.length)
    }
}
