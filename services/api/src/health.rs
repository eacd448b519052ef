//! Whether the service and what it depends on work, for people, load balancers and orchestrators.

use std::{collections::BTreeMap, future::Future, sync::Arc, time::Duration};

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

/// A dependency that says nothing for so long does not work.
const PATIENCE: Duration = Duration::from_secs(1);

/// However often health is asked for, the dependencies are asked no more often than this.
const FRESH: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Health {
    status: Standing,
    /// `temporal`, `store`, and `redis` where it is set.
    dependencies: BTreeMap<&'static str, Standing>,
}

/// How well something works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Standing {
    Healthy,
    /// Everything can be done, though not as well.
    Degraded,
    Unhealthy,
}

impl Health {
    /// The service is as bad as the worst of what it needs. It can do without Redis.
    fn of(needed: [(&'static str, Standing); 2], redis: Option<Standing>) -> Self {
        let worst = needed.iter().map(|(_, standing)| *standing).max().unwrap_or(Standing::Healthy);
        let by_redis = redis.unwrap_or(Standing::Healthy).min(Standing::Degraded);
        let redis = redis.map(|standing| ("redis", standing));
        Self { status: worst.max(by_redis), dependencies: needed.into_iter().chain(redis).collect() }
    }
}

impl IntoResponse for Health {
    fn into_response(self) -> Response {
        let status = match self.status {
            Standing::Healthy | Standing::Degraded => StatusCode::OK,
            Standing::Unhealthy => StatusCode::SERVICE_UNAVAILABLE,
        };
        (status, Json(self)).into_response()
    }
}

/// Asks the dependencies, and remembers for a moment what they said.
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
            Some((at, health)) if at.elapsed() < FRESH => health.clone(),
            _ => {
                let health = self.ask().await;
                *last = Some((Instant::now(), health.clone()));
                health
            }
        }
    }

    async fn ask(&self) -> Health {
        let Dependencies { store, temporal, redis } = &self.dependencies;
        let temporal = async {
            match temporal.jobs() {
                Ok(jobs) => standing("temporal", jobs.ping()).await,
                Err(_) => Standing::Unhealthy,
            }
        };
        let redis = async {
            match redis {
                Some(redis) => Some(standing("redis", engine::redis::ping(redis)).await),
                None => None,
            }
        };
        let (temporal, store, redis) = tokio::join!(temporal, standing("store", store.ping()), redis);
        Health::of([("temporal", temporal), ("store", store)], redis)
    }
}

async fn standing<E: std::fmt::Display>(name: &str, asked: impl Future<Output = Result<(), E>>) -> Standing {
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(())) => Standing::Healthy,
        Ok(Err(error)) => {
            tracing::warn!(%error, "{name} is unhealthy");
            Standing::Unhealthy
        }
        Err(_) => {
            tracing::warn!("{name} is unhealthy: no answer in time");
            Standing::Unhealthy
        }
    }
}

pub(crate) fn routes(check: Arc<HealthCheck>) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(health)).routes(routes!(ready)).routes(routes!(live)).with_state(check)
}

/// How the service and its dependencies are.
#[utoipa::path(get, path = "/health", tag = "operations", responses(
    (status = 200, description = "Healthy, or degraded: all requests are answered", body = Health),
    (status = 503, description = "Unhealthy: something is away that every job needs", body = Health),
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
        Standing::{self, Degraded, Healthy, Unhealthy},
    };

    #[test]
    fn only_redis_can_be_done_without() {
        let check = |temporal, store, redis: Option<Standing>, expected| {
            let health = Health::of([("temporal", temporal), ("store", store)], redis);
            assert_eq!(health.status, expected, "{health:?}");
            assert_eq!(health.dependencies.contains_key("redis"), redis.is_some());
        };
        check(Healthy, Healthy, None, Healthy);
        check(Healthy, Healthy, Some(Healthy), Healthy);
        check(Healthy, Healthy, Some(Unhealthy), Degraded);
        check(Unhealthy, Healthy, Some(Healthy), Unhealthy);
        check(Healthy, Unhealthy, Some(Unhealthy), Unhealthy);
        check(Healthy, Unhealthy, None, Unhealthy);
    }
}
