//! Settings: every variable that Longhand reads, parsed once at start.
//!
//! Each program declares one struct out of the sections below and calls [`load`]. A value comes
//! from the environment (a `.env` file counts), else from the TOML file that `LONGHAND_CONFIG`
//! names, else from the default written here. No other place reads the environment, save for
//! Temporal's `TEMPORAL_*` and S3's `AWS_*`, which their own clients read.

mod folders;
mod housekeeping;
mod llm;
mod loading;
mod services;
mod variables;

use std::{net::SocketAddr, path::PathBuf};

pub use folders::{program_folders, user_folder};
pub use housekeeping::{HousekeepingSettings, InvalidRetention, Retention};
pub use llm::{LlmProvider, LlmSettings};
pub use loading::{ConfigError, load};
pub use services::{
    ApiSettings, INGESTION_API_PORT, IngestionApiSettings, JobStatusApiSettings, LinkSettings, RedisSettings,
};
pub use variables::{Variable, variables};

use confique::Config;

use crate::{job::RecogniserChoice, secret::Secret};

/// Where audio, checkpoints and results are kept.
#[derive(Debug, Clone, Config)]
pub struct StoreSettings {
    /// A folder, or `s3://bucket/prefix` (with the usual `AWS_*` variables). Default: `longhand/store` in the user's data folder.
    #[config(env = "LONGHAND_STORE")]
    pub url: Option<String>,
}

/// Where models and other fetched files are kept.
#[derive(Debug, Clone, Config)]
pub struct CacheSettings {
    /// Folder for what is fetched: models, Temporal's server and llama.cpp's. Default: `longhand` in the user's cache folder.
    #[config(env = "LONGHAND_CACHE")]
    pub folder: Option<PathBuf>,
    /// Hub that models are fetched from, or a mirror with its paths.
    #[config(env = "LONGHAND_MODEL_HUB", default = "https://huggingface.co")]
    pub hub: String,
    /// Seconds in which a download has to get on by a kilobyte for each; one that does not is given up, and continued later.
    #[config(env = "LONGHAND_DOWNLOAD_STALL_SECONDS", default = 30, validate(*stall_seconds > 0, "must not be 0"))]
    pub stall_seconds: u64,
}

/// The models that jobs may name.
#[derive(Debug, Clone, Config)]
pub struct ModelSettings {
    /// Models that jobs may name, besides the workers' own: names, and paths on the workers, separated by commas. Default: all names of `longhand fetch`, and over HTTP no path.
    #[config(env = "LONGHAND_MODELS", parse_env = confique::env::parse::list_by_comma)]
    pub models: Option<Vec<String>>,
}

/// What a program tells of its work: logs (to stderr), traces and metrics.
#[derive(Debug, Clone, Config)]
pub struct TelemetrySettings {
    /// Filter in tracing's syntax, such as `info` or `engine=debug,warn`.
    #[config(env = "LONGHAND_LOG", default = "info,temporalio_sdk_core=warn,temporalio_client=warn,async_openai=off")]
    pub filter: String,
    /// `text` or `json`.
    #[config(env = "LONGHAND_LOG_FORMAT", default = "text")]
    pub format: LogFormat,
    /// OTLP collector (gRPC) that gets the traces, such as `http://localhost:4317`. Nothing waits for it.
    #[config(env = "LONGHAND_OTLP_ENDPOINT")]
    pub otlp_endpoint: Option<String>,
    /// Where a program serves its Prometheus metrics, such as `0.0.0.0:9464`. The HTTP services have theirs at `/metrics` of their own address if this is not set.
    #[config(env = "LONGHAND_METRICS_ADDRESS")]
    pub metrics_address: Option<SocketAddr>,
}

/// How a worker can be asked whether it works.
#[derive(Debug, Clone, Config)]
pub struct HealthSettings {
    /// Unix socket at which a worker tells whether it works; `WORKER --healthy` asks there.
    #[config(env = "LONGHAND_HEALTH_SOCKET")]
    pub socket: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    Text,
    Json,
}

/// What runs the workflows, which is the ingestion worker.
#[derive(Debug, Clone, Config)]
pub struct WorkflowSettings {
    /// Version of the worker, such as its image's tag: a job's workflow stays with workers of the version that it began with, and new ones go to the version that is current for Temporal. Default: none, any worker takes any job.
    #[config(env = "LONGHAND_WORKER_VERSION")]
    pub version: Option<String>,
}

/// The ingestion worker.
#[derive(Debug, Clone, Config)]
pub struct IngestSettings {
    /// Recordings decoded at the same time.
    #[config(env = "LONGHAND_INGEST_SLOTS", default = 2)]
    pub slots: usize,
    /// Recordings fetched from URLs at the same time; those that are at hand never wait for them.
    #[config(env = "LONGHAND_FETCH_SLOTS", default = 8)]
    pub fetch_slots: usize,
    /// Minutes that fetching one recording may take.
    #[config(env = "LONGHAND_FETCH_MINUTES", default = 120)]
    pub fetch_minutes: u32,
    /// Seconds of speech in a work unit, the piece that one activity recognises. The first one of a recording has no more than 60.
    #[config(env = "LONGHAND_UNIT_SECONDS", default = 180)]
    pub unit_seconds: u32,
    /// Fetch URLs that point into private networks, too.
    #[config(env = "LONGHAND_ALLOW_PRIVATE_URLS", default = false)]
    pub allow_private_urls: bool,
    /// Largest source in megabytes.
    #[config(env = "LONGHAND_MAX_SOURCE_MB", default = 20480)]
    pub max_source_mb: u64,
    /// Longest recording in hours, gaps between its parts included.
    #[config(env = "LONGHAND_MAX_SOURCE_HOURS", default = 1000)]
    pub max_source_hours: u32,
}

/// Messages to users' own servers, sent by the ingestion worker. The ingestion API refuses them where nothing signs them.
#[derive(Debug, Clone, Config)]
pub struct WebhookSettings {
    /// Key that signs webhooks after the Standard Webhooks specification: `whsec_` and base64, or any text.
    #[config(env = "LONGHAND_WEBHOOK_SECRET", validate(!secret.expose().is_empty(), "must not be empty"))]
    pub secret: Option<Secret>,
    /// File with keys of single tenants, a line `TENANT SECRET` for each, read anew for each message. `LONGHAND_WEBHOOK_SECRET` signs for all others.
    #[config(env = "LONGHAND_WEBHOOK_SECRETS")]
    pub secrets: Option<PathBuf>,
}

/// The transcription worker.
#[derive(Debug, Clone, Config)]
pub struct TranscribeSettings {
    /// Model of jobs that name none: `tiny` ... `large-v3-turbo`, or the path of a ggml file or of a CTranslate2 folder.
    #[config(env = "LONGHAND_MODEL", default = "base")]
    pub model: String,
    /// Recogniser of jobs that name none: `whisper` (whisper.cpp), `ctranslate2`, or `auto`: CTranslate2 where it is built in and takes the model.
    #[config(env = "LONGHAND_RECOGNISER", default = "auto")]
    pub recogniser: RecogniserChoice,
    /// Precision of whisper.cpp's weights after download: `q8_0` or `f16`. CTranslate2 computes in 8 bits.
    #[config(env = "LONGHAND_QUANTISATION", default = "q8_0")]
    pub quantisation: Quantisation,
    /// Threads that recognise, in all. Default: as many as the machine has cores.
    #[config(env = "LONGHAND_TRANSCRIBE_CORES", validate(*cores > 0, "must not be 0"))]
    pub cores: Option<usize>,
    /// Megabytes that the worker may take with its models. Default: what its container and the machine have left.
    #[config(env = "LONGHAND_TRANSCRIBE_MEMORY_MB", validate(*memory_mb > 0, "must not be 0"))]
    pub memory_mb: Option<u64>,
    /// Chunks that `ctranslate2` recognises at once. More is faster, and takes more memory and longer to cancel.
    #[config(env = "LONGHAND_TRANSCRIBE_BATCH", default = 2)]
    pub batch: usize,
    /// Of these, threads that recognise one chunk, or batch of chunks, together. Default: 1, which gets most done; 4 with weights of more than 500 MB; more where memory is short.
    #[config(env = "LONGHAND_TRANSCRIBE_THREADS", validate(*threads > 0, "must not be 0"))]
    pub threads: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantisation {
    #[serde(rename = "q8_0")]
    Q8_0,
    F16,
}

/// Colours go to terminals whose user did not set `NO_COLOR`.
pub fn wants_colour(output: &impl std::io::IsTerminal) -> bool {
    output.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
