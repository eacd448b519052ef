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
    /// Everything can be done, though not as well.
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
    dependencies: Dependencies,
    last: Mutex<Option<(Instant, Health)>>,
}

impl HealthCheck {
    pub(crate) fn new(dependencies: Dependencies) -> Arc<Self> {
        Arc::new(Self { dependencies, last: Mutex::default() })
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
                Ok(jobs) => check("temporal", jobs.ping()).await,
                Err(_) => HealthStatus::Unhealthy,
            }
        };
        let redis = async {
            match redis {
                Some(redis) => Some(check("redis", engine::redis::ping(redis)).await),
                None => None,
            }
        };
        let (temporal, store, redis) = tokio::join!(temporal, check("store", store.ping()), redis);
        Health::of([("temporal", temporal), ("store", store)], redis)
    }
}

async fn check<E: Display>(name: &str, ping: impl Future<Output = Result<(), E>>) -> HealthStatus {
    match tokio::time::timeout(CHECK_TIMEOUT, ping).await {
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
