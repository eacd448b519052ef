//! How much a client may ask for. The count is kept in Redis, for all machines together, or in this process where there
//! is no Redis or it does not answer.

mod local;
mod shared;

use std::{num::NonZeroU32, time::Duration};

use axum::http::StatusCode;
use engine::redis::Redis;

use crate::error::{ApiError, ErrorKind};
use local::Local;
use shared::Shared;

/// What a client may ask for in a time. It comes back evenly (the generic cell rate algorithm).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowance {
    /// Names the count in Redis.
    pub(crate) name: &'static str,
    pub(crate) burst: NonZeroU32,
    pub(crate) window: Duration,
}

pub(crate) struct RateLimit {
    allowance: Allowance,
    local: Local,
    shared: Option<Shared>,
}

/// Where something was taken, which is where it can be given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    Here,
    InRedis,
}

/// Why a client has to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    Until(Duration),
    /// It asks for more at once than there ever is.
    TooMany,
}

impl Refused {
    pub(crate) fn answer(self, message: impl Into<String>, code: &str) -> ApiError {
        let refused = ApiError::new(StatusCode::TOO_MANY_REQUESTS, ErrorKind::RateLimitError, message).code(code);
        match self {
            Self::Until(wait) => refused.retry_after(wait),
            Self::TooMany => refused,
        }
    }
}

impl Allowance {
    /// In which time so much comes back.
    fn time_of(self, count: NonZeroU32) -> Duration {
        self.window / self.burst.get() * count.get()
    }
}

impl RateLimit {
    pub(crate) fn new(allowance: Allowance, redis: Option<Redis>) -> Self {
        Self { allowance, local: Local::default(), shared: redis.map(Shared::new) }
    }

    /// Counts so many of the client.
    pub(crate) async fn admit(&self, client: &str, count: NonZeroU32) -> Result<Taken, Refused> {
        if count > self.allowance.burst {
            return Err(Refused::TooMany);
        }
        if let Some(shared) = &self.shared
            && let Some(answer) = shared.admit(client, self.allowance, count).await
        {
            return answer.map(|()| Taken::InRedis);
        }
        self.local.admit(client, self.allowance, count).map(|()| Taken::Here)
    }

    /// Takes back what was admitted. Where Redis has gone meanwhile it stays counted there.
    pub(crate) async fn give_back(&self, client: &str, count: NonZeroU32, taken: Taken) {
        match (taken, &self.shared) {
            (Taken::InRedis, Some(shared)) => shared.give_back(client, self.allowance, count).await,
            _ => self.local.give_back(client, self.allowance, count),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{num::NonZeroU32, time::Duration};

    use engine::{config::RedisSettings, redis};

    use super::{Allowance, RateLimit, Refused};

    fn number(number: u32) -> NonZeroU32 {
        NonZeroU32::new(number).unwrap()
    }

    #[tokio::test]
    async fn each_client_has_an_allowance_of_its_own_with_redis_or_without() {
        let unavailable = RedisSettings { url: Some(engine::secret::Secret::new("redis://127.0.0.1:1".to_owned())) };
        for redis in [None, redis::open(&unavailable).unwrap()] {
            let allowance = Allowance { name: "rate", burst: number(3), window: Duration::from_secs(60) };
            let limit = RateLimit::new(allowance, redis);
            assert_eq!(limit.admit("anna", number(4)).await, Err(Refused::TooMany));
            limit.admit("anna", number(2)).await.unwrap();
            let last = limit.admit("anna", number(1)).await.unwrap();
            for (count, seconds) in [(1, 10..=20), (3, 50..=60)] {
                let refused = limit.admit("anna", number(count)).await;
                let Err(Refused::Until(wait)) = refused else { panic!("{refused:?}") };
                assert!(seconds.contains(&wait.as_secs()), "{wait:?} for {count} thirds of a minute");
            }
            limit.give_back("anna", number(1), last).await;
            limit.admit("anna", number(1)).await.unwrap();
            assert!(limit.admit("anna", number(1)).await.is_err(), "what was given back is there once");
            limit.admit("bert", number(3)).await.unwrap();
        }
    }
}
