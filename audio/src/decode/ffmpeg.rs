//! What Longhand does not decode itself, decoded by an `ffmpeg` program.
//!
//! A child process for each recording. It reads the file that is its standard input and nothing else: no network, no other
//! protocol, none of the formats that name other files. It writes a wav file to a pipe. Its time and its memory are
//! bounded, and one that stalls is killed. What it is given may have been made to break it.

mod child;
mod formats;
mod headerless;
mod listing;

use std::{fs::File, io, path::Path, process::Command};

use self::{child::limited, formats::FORMATS, listing::listing};
pub(super) use self::{
    child::{Child, Output},
    headerless::{Headerless, headerless},
    listing::Listing,
};

/// What the program can tell of a recording, which has a header unless it is said to have none.
///
/// # Errors
/// The program is not there or cannot be started.
pub(super) fn list(program: &Path, file: &File, headerless: Option<Headerless>) -> io::Result<Listing> {
    let command = command(program, "info", file, headerless)?;
    let (_, mut child) = limited(command, file.metadata()?.len())?;
    // It complains that it has nothing to write to, once it has told what it read.
    let words = child.words();
    if !child.was_started()? {
        return Err(io::ErrorKind::NotFound.into());
    }
    Ok(listing(&words))
}

/// Starts decoding an audio track, counted from 0.
///
/// # Errors
/// The program is not there or cannot be started.
pub(super) fn decode(
    program: &Path,
    file: &File,
    headerless: Option<Headerless>,
    track: usize,
) -> io::Result<(Output, Child)> {
    let mut command = command(program, "error", file, headerless)?;
    command.args(["-map", &format!("0:a:{track}"), "-vn", "-sn", "-dn"]);
    // Holes are filled with silence, so that times stay true.
    command.args(["-af", "aresample=async=1:first_pts=0", "-c:a", "pcm_f32le", "-bitexact", "-f", "wav", "pipe:1"]);
    limited(command, file.metadata()?.len())
}

/// The standard input as a file, which unlike a pipe can be read from any place.
const INPUT: &str = "file:/dev/stdin";

fn command(program: &Path, words: &str, file: &File, headerless: Option<Headerless>) -> io::Result<Command> {
    let mut command = child::sandboxed(program);
    command.args(["-nostdin", "-nostats", "-hide_banner", "-threads", "1", "-loglevel", words]);
    command.args(["-protocol_whitelist", "file"]);
    match headerless {
        None => command.args(["-format_whitelist", FORMATS]),
        Some(Headerless { format, sample_rate }) => {
            let rate = sample_rate.map(|rate| ["-sample_rate", rate]);
            command.args(["-format_whitelist", format, "-f", format]).args(rate.iter().flatten())
        }
    };
    command.args(["-i", INPUT]).stdin(file.try_clone()?);
    Ok(command)
}
