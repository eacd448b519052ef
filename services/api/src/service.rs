//! A service from its settings to its end.
//!
//! Its futures are boxed. The body of an `async fn` is compiled in every crate that awaits it: so hyper's server with the
//! whole router would be compiled in each service, and not here, once.

use std::{io, net::SocketAddr, time::Duration};

use axum::Router;
use confique::Config;
use engine::{
    api_keys::KeysError,
    config::{self, ApiSettings, ConfigError, LinkSettings, RedisSettings, StoreSettings, TelemetrySettings},
    events::Notifications,
    redis::RedisUrlError,
    signal,
    telemetry::{self, Telemetry, TelemetryError},
};
use futures_util::future::BoxFuture;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    access::Access,
    connections,
    cors::OriginPolicy,
    dependencies::{Dependencies, OpenError},
    health::HealthCheck,
    hosts::{AllowedHosts, BadHost},
    key_file,
    links::Links,
    metrics::{self, RequestMetrics},
    quota::JobQuota,
    rate_limit::{Allowance, RateLimit},
    router::{Api, Middleware},
    unfinished::Unfinished,
};

/// How long what goes on without a client may take once all connections have ended: an upload that was cut off is removed
/// from the store.
const CLEAN_UP: Duration = Duration::from_secs(5);

const MINUTE: Duration = Duration::from_secs(60);

/// The settings that all services read.
#[derive(Config)]
struct Settings {
    #[config(nested)]
    telemetry: TelemetrySettings,
    #[config(nested)]
    store: StoreSettings,
    #[config(nested)]
    redis: RedisSettings,
    #[config(nested)]
    api: ApiSettings,
    #[config(nested)]
    links: LinkSettings,
}

/// A service with its settings read and its connections open, before it listens.
pub struct Service {
    name: &'static str,
    address: SocketAddr,
    pub settings: ApiSettings,
    pub link_settings: LinkSettings,
    pub dependencies: Dependencies,
    pub notifications: Notifications,
    /// Cancelled when the process is told to stop, by SIGTERM or Ctrl-C: for answers that would otherwise never end.
    pub stop: CancellationToken,
    /// For work that has to end before the process does, though its client may have gone.
    pub unfinished: Unfinished,
    /// Where the metrics are served, if not at the service's own address.
    metrics_address: Option<SocketAddr>,
    _telemetry: Telemetry,
}

/// Why a service cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    #[error(transparent)]
    Dependencies(#[from] OpenError),
    #[error(transparent)]
    Redis(#[from] RedisUrlError),
}

/// Why a service cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(
        "{name} would listen on {address}, where others can reach it, and let everybody in: name a file of API keys \
         with LONGHAND_API_KEYS, or set LONGHAND_API_OPEN=true if that is what you want"
    )]
    Unprotected { name: &'static str, address: SocketAddr },
    #[error("{address} is taken: stop what listens there, or give {name} another address with {variable}")]
    Taken { name: &'static str, address: SocketAddr, variable: String },
    #[error("{name} cannot listen on {address}: {source}; {variable} sets the address")]
    Listen { name: &'static str, address: SocketAddr, variable: String, source: io::Error },
    #[error(transparent)]
    Keys(#[from] KeysError),
    #[error(transparent)]
    Host(#[from] BadHost),
    #[error("the metrics cannot be registered: {0}")]
    Metrics(#[from] prometheus::Error),
}

impl Service {
    /// Reads the settings that all services have, starts the logs and connects. `name` is the program's, such as
    /// `ingestion-api`.
    ///
    /// # Errors
    /// Settings that cannot be right. Temporal and Redis may come later.
    pub fn start(name: &'static str, address: SocketAddr) -> BoxFuture<'static, Result<Self, StartError>> {
        Box::pin(async move {
            let settings: Settings = config::load()?;
            let telemetry = telemetry::start(&settings.telemetry, name)?;
            Ok(Self {
                name,
                address,
                dependencies: Dependencies::open(&settings.store, &settings.redis).await?,
                notifications: Notifications::subscribe(&settings.redis)?,
                settings: settings.api,
                link_settings: settings.links,
                stop: signal::stop_token(),
                unfinished: Unfinished::new(),
                metrics_address: settings.telemetry.metrics_address,
                _telemetry: telemetry,
            })
        })
    }

    pub fn links(&self) -> Links {
        Links::new(&self.link_settings)
    }

    pub fn quota(&self) -> JobQuota {
        JobQuota::new(&self.settings, self.dependencies.redis.as_ref())
    }

    /// Serves until the process is told to stop. Logs "service ready" with the address as soon as it listens.
    ///
    /// # Errors
    /// Settings that are wrong or dangerous, and an address that cannot be had.
    pub fn serve(self, api: Api) -> BoxFuture<'static, Result<(), ServeError>> {
        Box::pin(async move {
            let Self { name, address, stop, settings, unfinished, .. } = &self;
            let router = self.router(api)?;
            self.serve_metrics().await?;
            let variable = format!("LONGHAND_{}_ADDRESS", name.to_uppercase().replace('-', "_"));
            let listener = listen(name, *address, variable).await?;
            let address = listener.local_addr().unwrap_or(*address);
            tracing::info!(%address, "service ready");
            connections::serve(listener, router, stop, Duration::from_secs(settings.grace_seconds)).await;
            if !unfinished.end(CLEAN_UP).await {
                tracing::warn!("uploads that were cut off may have left something in the store");
            }
            tracing::info!("stopped");
            Ok(())
        })
    }

    /// Serves the metrics, and nothing else, where they have an address of their own.
    async fn serve_metrics(&self) -> Result<(), ServeError> {
        let Some(address) = self.metrics_address else { return Ok(()) };
        let listener = listen(self.name, address, "LONGHAND_METRICS_ADDRESS".to_owned()).await?;
        let stop = self.stop.clone();
        tokio::spawn(async move { connections::serve(listener, metrics::alone(), &stop, Duration::ZERO).await });
        Ok(())
    }

    fn router(&self, api: Api) -> Result<Router, ServeError> {
        let Self { name, address, settings, link_settings, dependencies, .. } = self;
        let keys = settings.keys.clone().map(key_file::watch).transpose()?;
        if keys.is_none() && !settings.open && !address.ip().is_loopback() {
            return Err(ServeError::Unprotected { name, address: *address });
        }
        let rate_limit = settings
            .requests_per_minute
            .map(|burst| RateLimit::new(Allowance { name: "rate", burst, window: MINUTE }, dependencies.redis.clone()));
        let hosts = AllowedHosts::new(settings.hosts.as_deref().unwrap_or_default(), link_settings)?;
        let origins = settings.cors_origins.as_deref().unwrap_or_default();
        Ok(api.into_router(Middleware {
            settings,
            access: Access { keys, rate_limit },
            origins: OriginPolicy::new(hosts, origins, &link_settings.status_url),
            health: HealthCheck::new(name, dependencies.clone()),
            metrics: RequestMetrics::register()?,
            shows_metrics: settings.metrics && self.metrics_address.is_none(),
            stop: self.stop.clone(),
        }))
    }
}

/// `variable` is the one that sets the address.
async fn listen(name: &'static str, address: SocketAddr, variable: String) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => ServeError::Taken { name, address, variable },
        _ => ServeError::Listen { name, address, variable, source },
    })
}
