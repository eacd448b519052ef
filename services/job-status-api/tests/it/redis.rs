//! Redis carries live events, and the service does without when it is unavailable.

use futures_util::StreamExt;
use test_stack::{JOB_STATUS_API, redis::Redis, wait_until};

use crate::{events::events, service::Service};

#[tokio::test]
async fn redis_may_go_and_come_back() {
    let Some(mut redis) = Redis::start() else { return };
    let service = Service::start_with(&[("LONGHAND_REDIS_URL", &redis.url())]);
    wait_until("the service listens to Redis", || service.stack.log_of(JOB_STATUS_API).contains("come through Redis"));
    assert_eq!(service.json("/health").await["dependencies"]["redis"], "healthy");
    service.transcribe("with", &[]);

    redis.kill();
    service.transcribe("without", &["--words"]);
    let received: Vec<_> = events(&service, "without", None).await.collect().await;
    assert!(received.len() >= 3, "{received:?}");
    wait_until("the loss is logged", || service.stack.log_of(JOB_STATUS_API).contains("Redis is away"));
    let health = service.json("/health").await;
    assert_eq!((&health["status"], &health["dependencies"]["redis"]), (&"degraded".into(), &"unhealthy".into()));

    redis.start_again();
    wait_until("the service listens again", || {
        service.stack.log_of(JOB_STATUS_API).matches("come through Redis").count() == 2
    });
    service.transcribe("again", &["--prompt", "A speech."]);
    let logged = service.stack.log_of(JOB_STATUS_API).matches("Redis is away").count();
    assert_eq!(logged, 1, "the loss is logged once");
}
