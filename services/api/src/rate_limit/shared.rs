//! The count that all machines have in common, in Redis.

use std::{
    num::NonZeroU32,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use engine::redis::Redis;
use redis::Script;

use super::{Allowance, Refused};

/// A request waits no longer than this for Redis.
const REDIS_TIMEOUT: Duration = Duration::from_millis(100);

/// Redis is not asked for this long once it has failed to answer.
const BACK_OFF: Duration = Duration::from_secs(2);

/// Counts so many, or gives so many back where the count is below zero. Gives the milliseconds to wait.
const COUNT: &str = r"
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

pub(super) struct Shared {
    redis: Redis,
    count: Script,
    unavailable_until: Mutex<Option<Instant>>,
    unavailable: AtomicBool,
}

impl Shared {
    pub(super) fn new(redis: Redis) -> Self {
        let unavailable = AtomicBool::new(false);
        Self { redis, count: Script::new(COUNT), unavailable_until: Mutex::default(), unavailable }
    }

    /// `None` where Redis gives no answer.
    pub(super) async fn admit(
        &self,
        client: &str,
        allowance: Allowance,
        count: NonZeroU32,
    ) -> Option<Result<(), Refused>> {
        let wait = self.count(client, allowance, count.get().into()).await?;
        Some(if wait == 0 { Ok(()) } else { Err(Refused::Until(Duration::from_millis(wait))) })
    }

    pub(super) async fn give_back(&self, client: &str, allowance: Allowance, count: NonZeroU32) {
        // Where Redis is away, so is what was counted there.
        let _gone_or_done = self.count(client, allowance, -i64::from(count.get())).await;
    }

    async fn count(&self, client: &str, allowance: Allowance, count: i64) -> Option<u64> {
        if self.unavailable_until().is_some_and(|until| Instant::now() < until) {
            return None;
        }
        let Allowance { name, burst, window } = allowance;
        let mut request = self.count.key(format!("longhand:{name}:{client}"));
        let window = u64::try_from(window.as_millis()).unwrap_or(u64::MAX);
        let mut redis = self.redis.clone();
        let answer = request.arg(burst.get()).arg(window).arg(count).invoke_async::<u64>(&mut redis);
        let wait = match tokio::time::timeout(REDIS_TIMEOUT, answer).await {
            Ok(Ok(wait)) => wait,
            Ok(Err(error)) => return self.redis_failed(&error.to_string()),
            Err(_) => return self.redis_failed("no answer in time"),
        };
        if self.unavailable.swap(false, Ordering::Relaxed) {
            tracing::info!("Redis is back: requests are counted for all machines together");
        }
        Some(wait)
    }

    fn redis_failed(&self, reason: &str) -> Option<u64> {
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
