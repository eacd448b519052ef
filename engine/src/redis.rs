//! The connection to Redis, where there is one. It carries what may be lost: live events and the
//! counts of rate limits. Jobs do not depend on it.

use std::time::Duration;

use redis::{
    Client,
    aio::{ConnectionManager, ConnectionManagerConfig},
};

use crate::config::RedisSettings;

/// Redis is next door or away.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const ANSWER_TIMEOUT: Duration = Duration::from_millis(500);

/// Between two attempts to find it again.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A connection that finds Redis again by itself; cheap to clone.
pub type Redis = ConnectionManager;

/// `LONGHAND_REDIS_URL` is no address of a Redis. The address is not shown: it may hold a password.
#[derive(Debug, thiserror::Error)]
#[error("LONGHAND_REDIS_URL cannot be used: {0}; an example is redis://127.0.0.1:6379")]
pub struct RedisUrlError(String);

impl From<redis::RedisError> for RedisUrlError {
    fn from(error: redis::RedisError) -> Self {
        Self(error.to_string())
    }
}

/// The Redis that the settings name, if they name one. It need not be there yet.
///
/// # Errors
/// An address that cannot be understood.
pub fn open(settings: &RedisSettings) -> Result<Option<Redis>, RedisUrlError> {
    let Some(url) = &settings.url else { return Ok(None) };
    let client = Client::open(url.expose())?;
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(CONNECT_TIMEOUT))
        .set_response_timeout(Some(ANSWER_TIMEOUT))
        .set_max_delay(LONGEST_PAUSE)
        .set_number_of_retries(1);
    ConnectionManager::new_lazy_with_config(client, config).map(Some).map_err(RedisUrlError::from)
}

/// Asks Redis whether it is there.
///
/// # Errors
/// What Redis or the way to it says.
pub async fn ping(redis: &Redis) -> Result<(), redis::RedisError> {
    redis::cmd("PING").query_async(&mut redis.clone()).await
}
