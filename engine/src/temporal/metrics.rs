//! What a worker counts for Prometheus, beside the SDK's own `temporal_*` metrics and served with them.
//!
//! Nothing is counted in a process that serves no metrics. Labels are of a few known values each: no job, file or
//! text is ever one.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, OnceLock},
};

use temporalio_common::telemetry::{
    HistogramBucketOverrides, PrometheusExporterOptions,
    metrics::{CoreMeter, MetricKeyValue, MetricParameters, NewAttributes},
    start_prometheus_metric_exporter,
};

use crate::{llm::LlmUsage, result::JobStatus};

static METER: OnceLock<Arc<dyn CoreMeter>> = OnceLock::new();

/// Seconds; a chunk takes tenths, a day of audio hours.
const SECONDS: [f64; 14] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 14400.0];

const CHUNK_AUDIO: &str = "longhand_chunk_audio_seconds";
const CHUNK_RECOGNITION: &str = "longhand_chunk_recognition_seconds";
const INGESTED_AUDIO: &str = "longhand_ingested_audio_seconds";
const JOB_WALL: &str = "longhand_job_wall_seconds";

/// Of the currency that the prices are in; a summary takes a hundredth, a long recording tens.
const COSTS: [f64; 9] = [0.0001, 0.001, 0.01, 0.05, 0.1, 0.5, 1.0, 10.0, 100.0];

const LLM_COST: &str = "longhand_llm_cost";

/// Serves all metrics of this process at `/metrics` from now on.
///
/// # Errors
/// The address is taken.
pub(super) fn serve(address: SocketAddr) -> anyhow::Result<Arc<dyn CoreMeter>> {
    let histograms = [CHUNK_AUDIO, CHUNK_RECOGNITION, INGESTED_AUDIO, JOB_WALL];
    let mut overrides: HashMap<_, _> = histograms.map(|name| (name.to_owned(), SECONDS.to_vec())).into();
    overrides.insert(LLM_COST.to_owned(), COSTS.to_vec());
    let options = PrometheusExporterOptions::builder()
        .socket_addr(address)
        .counters_total_suffix(true)
        .use_seconds_for_durations(true)
        .unit_suffix(true)
        .histogram_bucket_overrides(HistogramBucketOverrides { overrides })
        .build();
    let meter: Arc<dyn CoreMeter> = start_prometheus_metric_exporter(options)?.meter;
    Ok(METER.get_or_init(|| meter).clone())
}

/// A chunk went through the recogniser: its length, and the time that took.
pub fn chunk_recognised(audio_s: f64, recognition_s: f64, fallbacks: u32) {
    record(CHUNK_AUDIO, "Audio of a recognised chunk", audio_s, &[]);
    record(CHUNK_RECOGNITION, "What recognising a chunk took", recognition_s, &[]);
    add("longhand_chunks", "Chunks brought into the store or found there", 1, &[("outcome", "computed")]);
    add("longhand_fallbacks", "Decodings beyond a chunk's first", fallbacks.into(), &[]);
}

/// A chunk was in the store already.
pub fn chunk_reused() {
    add("longhand_chunks", "Chunks brought into the store or found there", 1, &[("outcome", "reused")]);
}

/// A recording was decoded and segmented.
pub fn audio_ingested(audio_s: f64) {
    record(INGESTED_AUDIO, "Length of an ingested recording", audio_s, &[]);
}

/// A language model answered a task. `cost` is in the currency of the settings' prices, where there are any.
pub fn llm_answered(usage: &LlmUsage, cost: Option<f64>) {
    let labels = [("provider", usage.provider.as_str()), ("model", usage.model.as_str())];
    add("longhand_llm_calls", "Calls to language models", usage.calls.into(), &labels);
    for (kind, tokens) in [("prompt", usage.prompt_tokens), ("completion", usage.completion_tokens)] {
        let labels = [labels[0], labels[1], ("kind", kind)];
        add("longhand_llm_tokens", "Tokens that language models read and wrote", tokens, &labels);
    }
    if let Some(cost) = cost {
        record(LLM_COST, "What an answer cost", cost, &labels);
    }
}

/// A job came to its end.
pub fn job_ended(status: JobStatus, wall_s: f64) {
    let status = status.to_string();
    add("longhand_jobs", "Jobs that ended", 1, &[("status", &status)]);
    record(JOB_WALL, "From a job's submission to its result", wall_s, &[("status", &status)]);
}

fn add(name: &'static str, description: &'static str, value: u64, labels: &[(&str, &str)]) {
    if let Some(meter) = METER.get() {
        meter.counter(parameters(name, description)).add(value, &meter.new_attributes(attributes(labels)));
    }
}

fn record(name: &'static str, description: &'static str, value: f64, labels: &[(&str, &str)]) {
    if let Some(meter) = METER.get() {
        meter.histogram_f64(parameters(name, description)).record(value, &meter.new_attributes(attributes(labels)));
    }
}

fn parameters(name: &'static str, description: &'static str) -> MetricParameters {
    MetricParameters::builder().name(name).description(description).build()
}

fn attributes(labels: &[(&str, &str)]) -> NewAttributes {
    labels.iter().map(|(key, value)| MetricKeyValue::new(*key, (*value).to_owned())).collect::<Vec<_>>().into()
}
