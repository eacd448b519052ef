//! Tab-separated values, as OpenAI's whisper writes them: a line for each segment, with times in milliseconds.

use std::io::{self, Write};

use crate::transcript::Segment;

pub(super) const HEAD: &str = "start\tend\ttext\n";

pub(super) fn write_row(segment: &Segment, out: &mut impl Write) -> io::Result<()> {
    let [start, end] = [segment.start, segment.end].map(|seconds| (seconds.max(0.0) * 1000.0).round() as u64);
    let text = segment.text.split_whitespace().collect::<Vec<_>>().join(" ");
    writeln!(out, "{start}\t{end}\t{text}")
}
