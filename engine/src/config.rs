//! Settings: every variable that Longhand reads, parsed once at start.
//!
//! Each program declares one struct out of the sections below and calls [`load`]. A value comes
//! from the environment (a `.env` file counts), else from the TOML file that `LONGHAND_CONFIG`
//! names, else from the default written here. No other place reads the environment, save for
//! Temporal's `TEMPORAL_*` and S3's `AWS_*`, which their own clients read.

mod folders;
mod llm;
mod native;
mod services;

use std::{net::SocketAddr, path::PathBuf};

pub(crate) use folders::{program_folders, user_folder};
pub use llm::{LlmProvider, LlmSettings};
pub use native::{Freed, settle_native_libraries};
pub use services::{
    ApiSettings, INGESTION_API_PORT, IngestionApiSettings, JobStatusApiSettings, LinkSettings, RedisSettings,
};

use confique::{
    Config,
    meta::{Expr, FieldKind, LeafKind, Meta},
};

use crate::job::RecogniserChoice;

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
    /// Folder for models. Default: `longhand` in the user's cache folder.
    #[config(env = "LONGHAND_CACHE")]
    pub folder: Option<PathBuf>,
}

/// What a program tells of its work: logs (to stderr), traces and metrics.
#[derive(Debug, Clone, Config)]
pub struct TelemetrySettings {
    /// Filter in tracing's syntax, such as `info` or `engine=debug,warn`.
    #[config(
        env = "LONGHAND_LOG",
        default = "info,temporalio_sdk_core=warn,temporalio_client=warn,async_openai=off,llama-cpp-2=error"
    )]
    pub filter: String,
    /// `text` or `json`.
    #[config(env = "LONGHAND_LOG_FORMAT", default = "text")]
    pub format: LogFormat,
    /// OTLP collector (gRPC) that gets the traces, such as `http://localhost:4317`. Nothing waits for it.
    #[config(env = "LONGHAND_OTLP_ENDPOINT")]
    pub otlp_endpoint: Option<String>,
    /// Where a worker serves its Prometheus metrics, such as `0.0.0.0:9464`. The HTTP services have theirs at `/metrics`.
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
    /// Seconds of speech in a work unit, the piece that one activity recognises. The first one of a recording has no more than 60.
    #[config(env = "LONGHAND_UNIT_SECONDS", default = 180)]
    pub unit_seconds: u32,
    /// Fetch URLs that point into private networks, too.
    #[config(env = "LONGHAND_ALLOW_PRIVATE_URLS", default = false)]
    pub allow_private_urls: bool,
    /// Largest source in megabytes.
    #[config(env = "LONGHAND_MAX_SOURCE_MB", default = 20480)]
    pub max_source_mb: u64,
}

/// Messages to users' own servers, sent by the ingestion worker.
#[derive(Debug, Clone, Config)]
pub struct WebhookSettings {
    /// Key that signs webhooks after the Standard Webhooks specification: `whsec_` and base64, or any text.
    #[config(env = "LONGHAND_WEBHOOK_SECRET", validate(!secret.expose().is_empty(), "must not be empty"))]
    pub secret: Option<Secret>,
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
    /// Chunks that `ctranslate2` recognises at once. More is faster, and takes more memory and longer to cancel.
    #[config(env = "LONGHAND_TRANSCRIBE_BATCH", default = 2)]
    pub batch: usize,
    /// Of these, threads that recognise one chunk, or batch of chunks, together. Default: 1, which gets most done; 4 with weights of more than 500 MB; more where memory is short.
    #[config(env = "LONGHAND_TRANSCRIBE_THREADS", validate(*threads > 0, "must not be 0"))]
    pub threads: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantisation {
    #[serde(rename = "q8_0")]
    Q8_0,
    F16,
}

/// A value that no log, error or debug print shows.
#[derive(Clone, serde::Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    pub fn new(value: String) -> Self {
        Self(value)
    }

    /// The value itself, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

/// Every section, for the checks and the table that need all variables at once.
const SECTIONS: [&Meta; 14] = [
    &StoreSettings::META,
    &CacheSettings::META,
    &TelemetrySettings::META,
    &HealthSettings::META,
    &WorkflowSettings::META,
    &IngestSettings::META,
    &WebhookSettings::META,
    &TranscribeSettings::META,
    &LlmSettings::META,
    &ApiSettings::META,
    &IngestionApiSettings::META,
    &JobStatusApiSettings::META,
    &LinkSettings::META,
    &RedisSettings::META,
];

/// Names the TOML file with settings.
const CONFIG_FILE: &str = "LONGHAND_CONFIG";

/// What is wrong with the settings, naming the variable or the file.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("unknown setting {name}: no program of Longhand reads it{}", .nearest.map(|known| format!("; did you mean {known}?")).unwrap_or_default())]
    UnknownVariable { name: String, nearest: Option<&'static str> },
    #[error("cannot read .env: {0}")]
    DotEnv(#[source] dotenvy::Error),
    #[error("{}", error_chain(.0))]
    Invalid(#[source] confique::Error),
}

/// Reads a program's settings: environment and `.env` first, then the file, then defaults.
///
/// # Errors
/// An unknown `LONGHAND_*` variable, or a value that does not parse; both are named.
pub fn load<C: Config>() -> Result<C, ConfigError> {
    match dotenvy::dotenv() {
        Ok(_) => {}
        Err(error) if error.not_found() => {}
        Err(error) => return Err(ConfigError::DotEnv(error)),
    }
    reject_unknown(std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()))?;
    let mut builder = C::builder().env();
    if let Some(file) = std::env::var_os(CONFIG_FILE) {
        builder = builder.file(PathBuf::from(file));
    }
    builder.load().map_err(ConfigError::Invalid)
}

fn reject_unknown(names: impl Iterator<Item = String>) -> Result<(), ConfigError> {
    let known: Vec<&'static str> = variables().map(|variable| variable.name).chain([CONFIG_FILE]).collect();
    for name in names.filter(|name| name.starts_with("LONGHAND_")) {
        if !known.contains(&name.as_str()) {
            let nearest = known.iter().copied().min_by_key(|candidate| edit_distance(candidate, &name));
            let nearest = nearest.filter(|candidate| edit_distance(candidate, &name) <= 4);
            return Err(ConfigError::UnknownVariable { name, nearest });
        }
    }
    Ok(())
}

/// Colours go to terminals whose user did not set `NO_COLOR`.
pub fn wants_colour(output: &impl std::io::IsTerminal) -> bool {
    output.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// One documented environment variable.
pub struct Variable {
    pub name: &'static str,
    pub default: Option<String>,
    pub doc: String,
}

/// All variables of all programs, in the order of the sections: the README's table.
pub fn variables() -> impl Iterator<Item = Variable> {
    SECTIONS.into_iter().flat_map(|section| section.fields).filter_map(|field| {
        let FieldKind::Leaf { env: Some(name), kind } = field.kind else { return None };
        let default = match kind {
            LeafKind::Required { default: Some(value) } => Some(display(&value)),
            LeafKind::Required { default: None } | LeafKind::Optional => None,
        };
        let doc = field.doc.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
        Some(Variable { name, default, doc })
    })
}

fn display(value: &Expr) -> String {
    match value {
        Expr::Str(text) => (*text).to_owned(),
        other => serde_json::to_string(other).unwrap_or_default(),
    }
}

fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// Levenshtein's distance, for the hint at a misspelt name.
fn edit_distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.iter().enumerate() {
            let substituted = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::{reject_unknown, variables};

    #[test]
    fn a_misspelt_variable_is_named_with_the_nearest_one() {
        let error = reject_unknown(["PATH".to_owned(), "LONGHAND_MODLE".to_owned()].into_iter()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown setting LONGHAND_MODLE: no program of Longhand reads it; did you mean LONGHAND_MODEL?"
        );
        assert!(reject_unknown(variables().map(|variable| variable.name.to_owned())).is_ok());
    }
}
