//! `cargo xtask bench-apis`: what load the HTTP services sustain, one that oha makes on this machine.

mod load;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use serde::Serialize;
use supervisor::embedded::INGESTION_API;
use tasks::output::{print, print_json, say};

use crate::{
    bench_stack::{BenchStack, memory, recordings},
    flags::BenchApisFlags,
    programs::ALL_PROGRAMS,
    setup, workspace,
};
use load::{Load, Oha};

/// The job that is asked for.
const KNOWN: &str = "known";
const UPLOAD_BYTES: usize = 5_000_000;
const BOUNDARY: &str = "longhand-bench";

#[derive(Debug, Serialize)]
struct Report {
    cores: usize,
    /// `GET /v1/jobs/ID` of one job by 16 connections.
    job: Load,
    /// `GET /v1/jobs/ID/events` by so many connections at once, each from the job's beginning to its end.
    streams: Load,
    /// `POST /v1/jobs` with a recording of 5 MB by so many connections at once.
    uploads: Load,
    /// The most that ingestion-api has held.
    ingestion_api_mb: u64,
}

/// Takes every measurement once. The load comes from this machine, and takes its cores' time, too.
pub(crate) fn run(flags: &BenchApisFlags) -> anyhow::Result<()> {
    let tools = setup::run(&ALL_PROGRAMS)?;
    let oha = Oha::install()?;
    let folder = tempfile::tempdir().context("no temporary folder")?;
    let form = form(folder.path())?;
    let mut stack = BenchStack::start_with_services(&tools, folder.path())?;
    let mut transcribe = stack.longhand();
    stack.run(transcribe.arg("transcribe").arg(workspace::sample()).args(["--language", "en", "--id", KNOWN]))?;
    let known = format!("{}/v1/jobs/{KNOWN}", stack.embedded().status_url());

    say(format_args!("one job, asked for during {} s", flags.seconds));
    let duration = format!("{}s", flags.seconds);
    let job = Load::measure(&mut stack, oha.requests(&known).args(["-z", &duration, "-c", "16"]))?;

    say(format_args!("{} event streams at once", flags.streams));
    let streams = flags.streams.to_string();
    let mut requests = oha.requests(&format!("{known}/events"));
    let streams = Load::measure(&mut stack, requests.args(["-n", &streams, "-c", &streams]))?;

    say(format_args!("{} uploads at once", flags.uploads));
    let uploads = flags.uploads.to_string();
    let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
    let mut requests = oha.requests(&format!("{}/v1/jobs", stack.embedded().ingestion_url()));
    requests.args(["-n", &uploads, "-c", &uploads, "-m", "POST", "-T", &content_type, "-D"]).arg(form);
    let uploads = Load::measure(&mut stack, &mut requests)?;
    let ingestion_api_mb = memory::peaks()?.remove(INGESTION_API).context("ingestion-api does not run any more")?;
    stack.stop();

    let cores = std::thread::available_parallelism()?.get();
    let report = Report { cores, job, streams, uploads, ingestion_api_mb };
    if flags.json { print_json(&report) } else { print(&report.table()) }?;
    let lost: u32 = [&report.job, &report.streams, &report.uploads].map(|load| load.lost).iter().sum();
    ensure!(lost == 0, "{lost} requests were not answered as they should be");
    Ok(())
}

/// Writes an upload's body, and gives its place.
fn form(folder: &Path) -> anyhow::Result<PathBuf> {
    let recording = fs::read(recordings::of_bytes(folder, UPLOAD_BYTES)?)?;
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"speech.wav\"\r\n\
         Content-Type: audio/wav\r\n\r\n"
    );
    let form = folder.join("form");
    fs::write(&form, [head.as_bytes(), &recording, format!("\r\n--{BOUNDARY}--\r\n").as_bytes()].concat())?;
    Ok(form)
}

impl Report {
    fn table(&self) -> String {
        format!(
            "one job, 16 connections: {}\nevent streams: {}\nuploads of 5 MB: {}; ingestion-api held {} MB at most\n",
            self.job, self.streams, self.uploads, self.ingestion_api_mb
        )
    }
}
