//! How many jobs a client may start in a day.

use std::{future::Future, num::NonZeroU32, sync::Arc, time::Duration};

use engine::{config::ApiSettings, redis::Redis};

use crate::{
    access::Client,
    error::ApiError,
    rate_limit::{Allowance, RateLimit, Refused},
};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The jobs that each client has left; cheap to clone.
#[derive(Clone)]
pub struct JobQuota(Option<Arc<Limit>>);

struct Limit {
    per_day: NonZeroU32,
    limit: RateLimit,
}

impl JobQuota {
    pub fn new(settings: &ApiSettings, redis: Option<&Redis>) -> Self {
        let limit = |per_day| {
            let allowance = Allowance { name: "jobs", burst: per_day, window: DAY };
            Arc::new(Limit { per_day, limit: RateLimit::new(allowance, redis.cloned()) })
        };
        Self(settings.jobs_per_day.map(limit))
    }

    /// Whether jobs are counted at all.
    pub fn is_limited(&self) -> bool {
        self.0.is_some()
    }

    /// Takes so many jobs out of the client's allowance while they are started, and gives them back where they were not:
    /// so nothing is paid for what is refused, and requests at the same time get no more than there is.
    ///
    /// # Errors
    /// 429 where less is left, and then nothing is started; else those of `start`.
    pub async fn charge<T>(
        &self,
        client: &Client,
        jobs: usize,
        start: impl Future<Output = Result<T, ApiError>> + Send,
        has_started: impl FnOnce(&T) -> bool,
    ) -> Result<T, ApiError> {
        let count = NonZeroU32::new(u32::try_from(jobs).unwrap_or(u32::MAX));
        let (Some(Limit { per_day, limit }), Some(count)) = (self.0.as_deref(), count) else { return start.await };
        let taken = limit.admit(client.name(), count).await.map_err(|refused| explain(refused, count, *per_day))?;
        let started = start.await;
        if !started.as_ref().is_ok_and(has_started) {
            limit.give_back(client.name(), count, taken).await;
        }
        started
    }
}

fn explain(refused: Refused, count: NonZeroU32, per_day: NonZeroU32) -> ApiError {
    let message = match refused {
        Refused::Until(_) => format!(
            "less than {count} is left of the {per_day} jobs that a client may ask for in a day; try again after the \
             seconds that Retry-After tells"
        ),
        Refused::TooMany => {
            format!("{count} jobs are more than the {per_day} that a client may ask for in a day; ask for fewer")
        }
    };
    refused.answer(message, "insufficient_quota")
}
