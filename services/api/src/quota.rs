//! How many jobs a client may ask for in a day.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use engine::{config::ApiSettings, redis::Redis};
use futures_util::future::BoxFuture;

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

    /// Takes so many jobs out of the client's allowance.
    ///
    /// # Errors
    /// 429 where less is left; nothing is taken then.
    pub fn take<'a>(&'a self, client: &'a Client, jobs: usize) -> BoxFuture<'a, Result<(), ApiError>> {
        Box::pin(async move {
            let Some(Limit { per_day, limit }) = self.0.as_deref() else { return Ok(()) };
            let Some(count) = NonZeroU32::new(u32::try_from(jobs).unwrap_or(u32::MAX)) else { return Ok(()) };
            limit.admit(client.name(), count).await.map_err(|refused| explain(refused, count, *per_day))
        })
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
