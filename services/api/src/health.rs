//! Whether the service and what it depends on work, for people, load balancers and orchestrators.

use std::{collections::BTreeMap, fmt::Display, future::Future, sync::Arc, time::Duration};

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use tokio::{sync::Mutex, time::Instant};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::dependencies::Dependencies;

/// A dependency that does not answer in this time does not work.
const CHECK_TIMEOUT: Duration = Duration::from_secs(1);

/// The same for a write, which takes a store longer.
const WRITE_TIMEOUT: Duration = Duration::from_secs(2);

/// Whether the store takes anything in is tried no more often than this: where it is in the cloud, writes are billed.
const WRITE_AGE: Duration = Duration::from_secs(30);

/// The same once it has failed, so that a disk with room again is soon known.
const FAILED_WRITE_AGE: Duration = Duration::from_secs(5);

/// However often health is asked for, the dependencies are checked no more often than this.
const CACHE_AGE: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Health {
    status: HealthStatus,
    /// `temporal`, `store`, and `redis` where it is set.
    dependencies: BTreeMap<&'static str, HealthStatus>,
}

/// How well something works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum HealthStatus {
    Healthy,
    /// Requests are answered, though not as well: Redis is away, or the store takes nothing in.
    Degraded,
    Unhealthy,
}

impl Health {
    /// The service is as bad as the worst of what it needs. It can do without Redis.
    fn of(needed: [(&'static str, HealthStatus); 2], redis: Option<HealthStatus>) -> Self {
        let worst = needed.iter().map(|(_, status)| *status).max().unwrap_or(HealthStatus::Healthy);
        let by_redis = redis.unwrap_or(HealthStatus::Healthy).min(HealthStatus::Degraded);
        let redis = redis.map(|status| ("redis", status));
        Self { status: worst.max(by_redis), dependencies: needed.into_iter().chain(redis).collect() }
    }
}

impl IntoResponse for Health {
    fn into_response(self) -> Response {
        let status = match self.status {
            HealthStatus::Healthy | HealthStatus::Degraded => StatusCode::OK,
            HealthStatus::Unhealthy => StatusCode::SERVICE_UNAVAILABLE,
        };
        (status, Json(self)).into_response()
    }
}

/// Checks the dependencies, and keeps the result for a moment.
pub(crate) struct HealthCheck {
    /// The service's name, under which it probes the store.
    name: &'static str,
    dependencies: Dependencies,
    last: Mutex<Option<(Instant, Health)>>,
    /// Whether the store took in what was last written.
    last_write: Mutex<Option<(Instant, HealthStatus)>>,
}

impl HealthCheck {
    pub(crate) fn new(name: &'static str, dependencies: Dependencies) -> Arc<Self> {
        Arc::new(Self { name, dependencies, last: Mutex::default(), last_write: Mutex::default() })
    }

    async fn current(&self) -> Health {
        let mut last = self.last.lock().await;
        match &*last {
            Some((at, health)) if at.elapsed() < CACHE_AGE => health.clone(),
            _ => {
                let health = self.check_all().await;
                *last = Some((Instant::now(), health.clone()));
                health
            }
        }
    }

    async fn check_all(&self) -> Health {
        let Dependencies { store, temporal, redis } = &self.dependencies;
        let temporal = async {
            match temporal.jobs() {
                Ok(jobs) => check("temporal", CHECK_TIMEOUT, jobs.ping()).await,
                Err(_) => HealthStatus::Unhealthy,
            }
        };
        let redis = async {
            match redis {
                Some(redis) => Some(check("redis", CHECK_TIMEOUT, engine::redis::ping(redis)).await),
                None => None,
            }
        };
        let store = async {
            match check("store", CHECK_TIMEOUT, store.ping()).await {
                HealthStatus::Healthy => self.check_write().await,
                unhealthy => unhealthy,
            }
        };
        let (temporal, store, redis) = tokio::join!(temporal, store, redis);
        Health::of([("temporal", temporal), ("store", store)], redis)
    }

    /// One that takes nothing in still gives what it has.
    async fn check_write(&self) -> HealthStatus {
        let mut last = self.last_write.lock().await;
        if let Some((at, status)) = *last {
            let age = if status == HealthStatus::Healthy { WRITE_AGE } else { FAILED_WRITE_AGE };
            if at.elapsed() < age {
                return status;
            }
        }
        let written =
            check("writing to the store", WRITE_TIMEOUT, self.dependencies.store.probe_write(self.name)).await;
        let status = written.min(HealthStatus::Degraded);
        *last = Some((Instant::now(), status));
        status
    }
}

async fn check<E: Display>(name: &str, timeout: Duration, ping: impl Future<Output = Result<(), E>>) -> HealthStatus {
    match tokio::time::timeout(timeout, ping).await {
        Ok(Ok(())) => HealthStatus::Healthy,
        Ok(Err(error)) => {
            tracing::warn!(%error, "{name} is unhealthy");
            HealthStatus::Unhealthy
        }
        Err(_) => {
            tracing::warn!("{name} is unhealthy: no answer in time");
            HealthStatus::Unhealthy
        }
    }
}

pub(crate) fn routes(check: Arc<HealthCheck>) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(health)).routes(routes!(ready)).routes(routes!(live)).with_state(check)
}

/// How the service and its dependencies are.
#[utoipa::path(get, path = "/health", tag = "operations", responses(
    (status = 200, description = "Healthy, or degraded: all requests are answered", body = Health),
    (status = 503, description = "Unhealthy: something is unavailable that every job needs", body = Health),
))]
async fn health(State(check): State<Arc<HealthCheck>>) -> Health {
    check.current().await
}

/// Whether the service can do its work now, for load balancers.
#[utoipa::path(get, path = "/ready", tag = "operations", responses(
    (status = 200, description = "Send requests", body = Health),
    (status = 503, description = "Send none for now", body = Health),
))]
async fn ready(State(check): State<Arc<HealthCheck>>) -> Health {
    check.current().await
}

/// Whether the process answers at all; where it does not, it has to be started again.
#[utoipa::path(get, path = "/live", tag = "operations", responses(
    (status = 200, description = "It does", body = String, content_type = "text/plain"),
))]
async fn live() -> &'static str {
    "live\n"
}

#[cfg(test)]
mod tests {
    use super::{
        Health,
        HealthStatus::{self, Degraded, Healthy, Unhealthy},
    };

    #[test]
    fn only_redis_can_be_done_without() {
        let assert_status = |temporal, store, redis: Option<HealthStatus>, expected| {
            let health = Health::of([("temporal", temporal), ("store", store)], redis);
            assert_eq!(health.status, expected, "{health:?}");
            assert_eq!(health.dependencies.contains_key("redis"), redis.is_some());
        };
        assert_status(Healthy, Healthy, None, Healthy);
        assert_status(Healthy, Healthy, Some(Healthy), Healthy);
        assert_status(Healthy, Healthy, Some(Unhealthy), Degraded);
        assert_status(Unhealthy, Healthy, Some(Healthy), Unhealthy);
        assert_status(Healthy, Unhealthy, Some(Unhealthy), Unhealthy);
        assert_status(Healthy, Unhealthy, None, Unhealthy);
    }
}
