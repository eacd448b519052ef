//! Notifications through Redis that a chunk has been recognised. They may be lost: whoever waits for one reads by itself
//! from time to time, too.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::StreamExt;
use redis::AsyncCommands;
use tokio::sync::Notify;

use crate::{
    config::RedisSettings,
    redis::{Redis, RedisUrlError, open},
};

/// All messages go through this channel, and tell which checkpoints grew.
const CHANNEL: &str = "longhand:chunks";

/// Between two attempts to find Redis again.
const PAUSE: Duration = Duration::from_secs(1);

/// Tells that chunks are done; does nothing where there is no Redis. Cheap to clone.
#[derive(Clone)]
pub struct Announcer {
    redis: Option<Redis>,
}

impl Announcer {
    /// # Errors
    /// An address that cannot be understood.
    pub fn open(settings: &RedisSettings) -> Result<Self, RedisUrlError> {
        Ok(Self { redis: open(settings)? })
    }

    /// Tells that the checkpoints below `checkpoints` have grown. Neither waits nor fails.
    pub fn announce(&self, checkpoints: String) {
        let Some(mut redis) = self.redis.clone() else { return };
        tokio::spawn(async move {
            let sent: Result<(), _> = redis.publish(CHANNEL, checkpoints).await;
            if let Err(error) = sent {
                tracing::debug!(%error, "a live event was not announced");
            }
        });
    }
}

/// Notifies whoever waits for checkpoints. Cheap to clone.
#[derive(Clone, Default)]
pub struct Notifications {
    waiting: Arc<Mutex<HashMap<String, Weak<Notify>>>>,
    /// Whether Redis is there at the moment.
    connected: Arc<AtomicBool>,
}

impl Notifications {
    /// Subscribes, if there is a Redis.
    ///
    /// # Errors
    /// An address that cannot be understood.
    pub fn subscribe(settings: &RedisSettings) -> Result<Self, RedisUrlError> {
        let Some(url) = &settings.url else { return Ok(Self::default()) };
        let client = redis::Client::open(url.expose()).map_err(RedisUrlError::from)?;
        let notifications = Self::default();
        tokio::spawn(notifications.clone().receive(client));
        Ok(notifications)
    }

    /// Whether messages can come at the moment.
    pub(super) fn are_expected(&self) -> bool {
        self.connected.load(Ordering::Relaxed)
    }

    /// Told whenever the checkpoints below `checkpoints` grow, as long as it is held.
    pub(super) fn of(&self, checkpoints: &str) -> Arc<Notify> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|_, notify| notify.strong_count() > 0);
        if let Some(notify) = waiting.get(checkpoints).and_then(Weak::upgrade) {
            return notify;
        }
        let notify = Arc::new(Notify::new());
        waiting.insert(checkpoints.to_owned(), Arc::downgrade(&notify));
        notify
    }

    async fn receive(self, client: redis::Client) {
        let mut away = false;
        loop {
            let lost = self.receive_until_lost(&client).await;
            self.connected.store(false, Ordering::Relaxed);
            match lost {
                Ok(()) => away = false,
                Err(error) if !away => {
                    tracing::warn!(%error, "Redis is away: live events come a little later until it is back");
                    away = true;
                }
                Err(_) => {}
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Comes back without an error where a connection that had worked was lost.
    async fn receive_until_lost(&self, client: &redis::Client) -> Result<(), redis::RedisError> {
        let mut connection = client.get_async_pubsub().await?;
        connection.subscribe(CHANNEL).await?;
        self.connected.store(true, Ordering::Relaxed);
        tracing::info!("live events come through Redis");
        let mut messages = connection.on_message();
        while let Some(message) = messages.next().await {
            let checkpoints: String = message.get_payload()?;
            let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(notify) = waiting.get(&checkpoints).and_then(Weak::upgrade) {
                notify.notify_one();
            }
        }
        Ok(())
    }
}
