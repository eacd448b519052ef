//! What can be typed after the benches of the product; the image tool has its own.

use std::path::PathBuf;

use clap::Args;

use super::EXIT_CODES;
use crate::recogniser::Recogniser;

#[derive(Debug, Args)]
#[command(after_help = format!("\
Examples:
  cargo xtask bench-speech --runs 3
  cargo xtask bench-speech --corpus speech/ --peers --out report.json

{EXIT_CODES}"))]
pub(crate) struct BenchSpeechFlags {
    /// Folder with dense.flac, dense.txt, sparse.flac and sparse.txt, from the workspace on
    #[arg(long, value_name = "DIR", default_value = "../shared/corpus")]
    pub(crate) corpus: PathBuf,
    /// How often each recording is transcribed
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) runs: u32,
    /// Recognisers that are measured, in turns, separated by commas; ctranslate2 takes minutes to be built in
    #[arg(long, value_name = "NAMES", value_delimiter = ',', default_value = "whisper")]
    pub(crate) recogniser: Vec<Recogniser>,
    /// Also run faster-whisper with the same weights, in turns
    #[arg(long)]
    pub(crate) peers: bool,
    /// Also ingest a recording of so many hours, for the memory it takes
    #[arg(long, value_name = "HOURS", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) long: Option<u32>,
    /// Rewrite this file with all measurements after each of them
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Print the measurements as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = format!("\
Examples:
  cargo xtask bench-jobs
  cargo xtask bench-jobs --jobs 200 --peers --json

{EXIT_CODES}"))]
pub(crate) struct BenchJobsFlags {
    /// Jobs in which nothing is left to recognise
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) jobs: u32,
    /// Clips that are submitted at once
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub(crate) clips: u32,
    /// Folder with the recordings that the hour is made of
    #[arg(long, value_name = "DIR", default_value = "../shared/corpus")]
    pub(crate) corpus: PathBuf,
    /// Also run as many workflows with Temporal's Python SDK
    #[arg(long)]
    pub(crate) peers: bool,
    /// Print the measurements as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = format!("\
Examples:
  cargo xtask bench-apis
  cargo xtask bench-apis --uploads 50 --json

{EXIT_CODES}"))]
pub(crate) struct BenchApisFlags {
    /// Seconds in which one job is asked for again and again
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=60))]
    pub(crate) seconds: u32,
    /// Event streams that are open at once
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub(crate) streams: u32,
    /// Recordings of 5 MB that are uploaded at once
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub(crate) uploads: u32,
    /// Print the measurements as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
