//! Settings of the HTTP services, and of the Redis that they may share.

use std::{net::SocketAddr, num::NonZeroU32, path::PathBuf};

use confique::Config;

use crate::secret::Secret;

/// What carries live events and rate limits between machines.
#[derive(Debug, Clone, Config)]
pub struct RedisSettings {
    /// Redis for live events and rate limits, such as `redis://redis:6379`. Without it one machine does alone.
    #[config(env = "LONGHAND_REDIS_URL")]
    pub url: Option<Secret>,
}

/// What both HTTP services do alike.
#[derive(Debug, Clone, Config)]
pub struct ApiSettings {
    /// File with the API keys that are let in, a line `NAME [TENANT] SHA256-OF-THE-KEY` for each, as `longhand keys` writes it; changes count within 10 s. Needed to listen anywhere but on loopback.
    #[config(env = "LONGHAND_API_KEYS")]
    pub keys: Option<PathBuf>,
    /// Let everybody in who can reach the address, on any address.
    #[config(env = "LONGHAND_API_OPEN", default = false)]
    pub open: bool,
    /// Requests that an API key, or an address where there are no keys, may make in a minute. Default: no limit.
    #[config(env = "LONGHAND_API_REQUESTS_PER_MINUTE")]
    pub requests_per_minute: Option<NonZeroU32>,
    /// Jobs and later questions to the language model that an API key, or an address where there are no keys, may ask for in a day; what was used up comes back evenly. Default: no limit.
    #[config(env = "LONGHAND_API_JOBS_PER_DAY")]
    pub jobs_per_day: Option<NonZeroU32>,
    /// Names by which the APIs may be called, separated by commas, such as `longhand.example.org`; `*` is any. Loopback names, the hosts of `LONGHAND_STATUS_URL` and `LONGHAND_INGESTION_URL`, and the address that a connection came in at need not be named.
    #[config(env = "LONGHAND_API_HOSTS", parse_env = confique::env::parse::list_by_comma)]
    pub hosts: Option<Vec<String>>,
    /// Web pages that may use the APIs, as origins such as `https://example.org`, separated by commas. The APIs' own pages, and the one at `LONGHAND_STATUS_URL`, always may.
    #[config(env = "LONGHAND_API_CORS_ORIGINS", parse_env = confique::env::parse::list_by_comma)]
    pub cors_origins: Option<Vec<String>>,
    /// Serve the documentation, at `/docs` and `/openapi.json`.
    #[config(env = "LONGHAND_API_DOCS", default = true)]
    pub docs: bool,
    /// Serve the metrics at `/metrics` of the service's own address, where `LONGHAND_METRICS_ADDRESS` names none.
    #[config(env = "LONGHAND_API_METRICS", default = true)]
    pub metrics: bool,
    /// Seconds that requests which have begun, uploads above all, may go on after a stop signal. Whatever stops the service has to wait for some seconds longer.
    #[config(env = "LONGHAND_API_GRACE_SECONDS", default = 60)]
    pub grace_seconds: u64,
    /// Seconds that a request may take, save for uploads, streams and waits for a job's end.
    #[config(env = "LONGHAND_API_TIMEOUT_SECONDS", default = 30)]
    pub timeout_seconds: u64,
    /// Kilobytes that a request's body may have, save for uploads.
    #[config(env = "LONGHAND_API_MAX_BODY_KB", default = 1024)]
    pub max_body_kb: usize,
}

/// Where the services are found from outside.
#[derive(Debug, Clone, Config)]
pub struct LinkSettings {
    /// Address of the job status API as its users know it: for links, and as the origin of the web page, which may use both APIs.
    #[config(env = "LONGHAND_STATUS_URL", default = "http://127.0.0.1:8001")]
    pub status_url: String,
    /// Address of the ingestion API as its users know it. A path in it, on a host that both APIs share, is taken off by the API. Default: port 8000 of the host at hand.
    #[config(env = "LONGHAND_INGESTION_URL")]
    pub ingestion_url: Option<String>,
}

/// Where the ingestion API listens if nothing else is set; [`IngestionApiSettings`] has to repeat it.
pub const INGESTION_API_PORT: u16 = 8000;

/// The ingestion API.
#[derive(Debug, Clone, Config)]
pub struct IngestionApiSettings {
    /// Where the ingestion API listens.
    #[config(env = "LONGHAND_INGESTION_API_ADDRESS", default = "127.0.0.1:8000")]
    pub address: SocketAddr,
}

/// The job status API.
#[derive(Debug, Clone, Config)]
pub struct JobStatusApiSettings {
    /// Where the job status API listens.
    #[config(env = "LONGHAND_JOB_STATUS_API_ADDRESS", default = "127.0.0.1:8001")]
    pub address: SocketAddr,
}

#[cfg(test)]
mod tests {
    use confique::Config;

    use super::{INGESTION_API_PORT, IngestionApiSettings};

    #[test]
    fn the_default_address_has_the_default_port() {
        assert_eq!(IngestionApiSettings::builder().load().unwrap().address.port(), INGESTION_API_PORT);
    }
}
