//! How much a client may ask for. The count is kept in Redis, for all machines together, or in this process where there
//! is no Redis or it does not answer.

use std::{
    num::NonZeroU32,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use axum::http::StatusCode;
use engine::redis::Redis;
use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};
use redis::Script;

use crate::error::{ApiError, ErrorKind};

/// A request waits no longer than this for Redis.
const REDIS_TIMEOUT: Duration = Duration::from_millis(100);

/// Redis is not asked for this long once it has failed to answer.
const BACK_OFF: Duration = Duration::from_secs(2);

/// With more clients than this, those that have their whole allowance are forgotten.
const MAX_CLIENTS: usize = 10_000;

/// The generic cell rate algorithm, as governor has it: an allowance that fills up evenly, and of which so many are taken
/// at once. Gives the milliseconds to wait.
const ADMIT: &str = r"
local burst, window, count = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local taken = window / burst * count
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local wait = full + taken - window - now
if wait > 0.001 then return math.ceil(wait) end
redis.call('SET', KEYS[1], string.format('%.3f', full + taken), 'PX', window + 1000)
return 0
";

/// What a client may ask for in a time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowance {
    /// Names the count in Redis.
    pub(crate) name: &'static str,
    pub(crate) burst: NonZeroU32,
    pub(crate) window: Duration,
}

pub(crate) struct RateLimit {
    allowance: Allowance,
    local: DefaultKeyedRateLimiter<String>,
    shared: Option<Shared>,
}

/// The count that all machines have in common.
struct Shared {
    redis: Redis,
    admit: Script,
    unavailable_until: Mutex<Option<Instant>>,
    unavailable: AtomicBool,
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

impl RateLimit {
    pub(crate) fn new(allowance: Allowance, redis: Option<Redis>) -> Self {
        let quota = Quota::with_period(allowance.window / allowance.burst.get());
        // Only a window of nothing would be none.
        let quota = quota.unwrap_or(Quota::per_minute(allowance.burst)).allow_burst(allowance.burst);
        let shared = redis.map(|redis| Shared {
            redis,
            admit: Script::new(ADMIT),
            unavailable_until: Mutex::default(),
            unavailable: AtomicBool::new(false),
        });
        Self { allowance, local: RateLimiter::dashmap(quota), shared }
    }

    /// Counts so many of the client.
    pub(crate) async fn admit(&self, client: &str, count: NonZeroU32) -> Result<(), Refused> {
        if count > self.allowance.burst {
            return Err(Refused::TooMany);
        }
        if let Some(shared) = &self.shared
            && let Some(answer) = shared.admit(client, self.allowance, count).await
        {
            return answer;
        }
        if self.local.len() > MAX_CLIENTS {
            self.local.retain_recent();
        }
        let admitted = self.local.check_key_n(&client.to_owned(), count).map_err(|_| Refused::TooMany)?;
        admitted.map_err(|until| {
            Refused::Until(until.wait_time_from(DefaultClock::default().now()).min(self.allowance.window))
        })
    }
}

impl Shared {
    /// `None` where Redis gives no answer.
    async fn admit(&self, client: &str, allowance: Allowance, count: NonZeroU32) -> Option<Result<(), Refused>> {
        if self.unavailable_until().is_some_and(|until| Instant::now() < until) {
            return None;
        }
        let Allowance { name, burst, window } = allowance;
        let mut request = self.admit.key(format!("longhand:{name}:{client}"));
        let window = u64::try_from(window.as_millis()).unwrap_or(u64::MAX);
        let mut redis = self.redis.clone();
        let answer = request.arg(burst.get()).arg(window).arg(count.get()).invoke_async::<u64>(&mut redis);
        let wait = match tokio::time::timeout(REDIS_TIMEOUT, answer).await {
            Ok(Ok(wait)) => wait,
            Ok(Err(error)) => return self.redis_failed(&error.to_string()),
            Err(_) => return self.redis_failed("no answer in time"),
        };
        if self.unavailable.swap(false, Ordering::Relaxed) {
            tracing::info!("Redis is back: requests are counted for all machines together");
        }
        Some(if wait == 0 { Ok(()) } else { Err(Refused::Until(Duration::from_millis(wait))) })
    }

    fn redis_failed(&self, reason: &str) -> Option<Result<(), Refused>> {
        if !self.unavailable.swap(true, Ordering::Relaxed) {
            tracing::warn!(reason, "Redis is away: each machine counts requests for itself");
        }
        *self.unavailable_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + BACK_OFF);
        None
    }

    fn unavailable_until(&self) -> Option<Instant> {
        *self.unavailable_until.lock().unwrap_or_else(PoisonError::into_inner)
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
            limit.admit("anna", number(1)).await.unwrap();
            for (count, seconds) in [(1, 10..=20), (3, 50..=60)] {
                let refused = limit.admit("anna", number(count)).await;
                let Err(Refused::Until(wait)) = refused else { panic!("{refused:?}") };
                assert!(seconds.contains(&wait.as_secs()), "{wait:?} for {count} thirds of a minute");
            }
            limit.admit("bert", number(3)).await.unwrap();
        }
    }
}
