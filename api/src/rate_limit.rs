//! How many requests a client may make. The count is kept in Redis, for all machines together, or
//! in this process where there is no Redis or it is away.

use std::{
    num::NonZeroU32,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use engine::redis::Redis;
use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};
use redis::Script;

const WINDOW: Duration = Duration::from_secs(60);

/// A request waits no longer than this for Redis.
const PATIENCE: Duration = Duration::from_millis(100);

/// Redis is not asked for so long once it has failed to answer.
const AWAY: Duration = Duration::from_secs(2);

/// Past so many clients those that have a whole allowance are forgotten.
const MANY_CLIENTS: usize = 10_000;

/// The generic cell rate algorithm, as governor has it: an allowance of a minute that fills up evenly. Gives the
/// milliseconds to wait.
const ADMIT: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local window = 60000
local step = window / tonumber(ARGV[1])
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local wait = full + step - window - now
if wait > 0.001 then return math.ceil(wait) end
redis.call('SET', KEYS[1], string.format('%.3f', full + step), 'PX', window + 1000)
return 0
";

pub(crate) struct RateLimit {
    per_minute: NonZeroU32,
    here: DefaultKeyedRateLimiter<String>,
    shared: Option<Shared>,
}

/// The count that all machines have in common.
struct Shared {
    redis: Redis,
    admit: Script,
    away_until: Mutex<Option<Instant>>,
    away: AtomicBool,
}

impl RateLimit {
    pub(crate) fn new(per_minute: NonZeroU32, redis: Option<Redis>) -> Self {
        let here = RateLimiter::dashmap(Quota::per_minute(per_minute));
        let shared = redis.map(|redis| Shared {
            redis,
            admit: Script::new(ADMIT),
            away_until: Mutex::default(),
            away: AtomicBool::new(false),
        });
        Self { per_minute, here, shared }
    }

    /// Counts a request of the client.
    ///
    /// # Errors
    /// It is one too many: how long to wait.
    pub(crate) async fn admit(&self, client: &str) -> Result<(), Duration> {
        if let Some(shared) = &self.shared
            && let Some(answer) = shared.admit(client, self.per_minute).await
        {
            return answer;
        }
        if self.here.len() > MANY_CLIENTS {
            self.here.retain_recent();
        }
        let admitted = self.here.check_key(&client.to_owned());
        admitted.map_err(|until| until.wait_time_from(DefaultClock::default().now()).min(WINDOW))
    }
}

impl Shared {
    /// `None` where Redis gives no answer.
    async fn admit(&self, client: &str, per_minute: NonZeroU32) -> Option<Result<(), Duration>> {
        if self.away_until().is_some_and(|until| Instant::now() < until) {
            return None;
        }
        let mut asked = self.admit.key(format!("longhand:rate:{client}"));
        let mut redis = self.redis.clone();
        let answer = asked.arg(per_minute.get()).invoke_async::<u64>(&mut redis);
        let wait = match tokio::time::timeout(PATIENCE, answer).await {
            Ok(Ok(wait)) => wait,
            Ok(Err(error)) => return self.lost(&error.to_string()),
            Err(_) => return self.lost("no answer in time"),
        };
        if self.away.swap(false, Ordering::Relaxed) {
            tracing::info!("Redis is back: requests are counted for all machines together");
        }
        Some(if wait == 0 { Ok(()) } else { Err(Duration::from_millis(wait)) })
    }

    fn lost<T>(&self, reason: &str) -> Option<T> {
        if !self.away.swap(true, Ordering::Relaxed) {
            tracing::warn!(reason, "Redis is away: each machine counts requests for itself");
        }
        *self.away_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + AWAY);
        None
    }

    fn away_until(&self) -> Option<Instant> {
        *self.away_until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use engine::{config::RedisSettings, redis};

    use super::RateLimit;

    #[tokio::test]
    async fn each_client_has_an_allowance_of_its_own_with_redis_or_without() {
        let away = RedisSettings { url: Some(engine::config::Secret::new("redis://127.0.0.1:1".to_owned())) };
        for redis in [None, redis::open(&away).unwrap()] {
            let limit = RateLimit::new(NonZeroU32::new(3).unwrap(), redis);
            for _ in 0..3 {
                limit.admit("anna").await.unwrap();
            }
            let wait = limit.admit("anna").await.unwrap_err();
            assert!((10..=20).contains(&wait.as_secs()), "{wait:?} for a third of a minute");
            limit.admit("bert").await.unwrap();
        }
    }
}
