//! Redis counts requests for all machines together, and the service does without when it is unavailable.

use serde_json::json;
use test_stack::{Stack, redis::Redis, wait_until};

use crate::service::Service;

async fn status(service: &Service) -> u16 {
    service.get("/v1/models").await.status
}

async fn redis_is(service: &Service) -> String {
    service.get("/health").await.json()["dependencies"]["redis"].as_str().unwrap().to_owned()
}

/// For conditions that are no futures.
fn now<T>(future: impl Future<Output = T>) -> T {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(future))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_allowance_holds_for_all_machines_together() {
    let Some(mut redis) = Redis::start() else { return };
    let url = redis.url();
    let settings = [("LONGHAND_REDIS_URL", url.as_str()), ("LONGHAND_API_REQUESTS_PER_MINUTE", "4")];
    let (one, other) = (Service::alone(&settings), Service::alone(&settings));
    assert_eq!(redis_is(&one).await, "healthy");
    let both = [status(&one).await, status(&other).await, status(&one).await, status(&other).await];
    assert_eq!(both, [200; 4]);
    assert_eq!([status(&one).await, status(&other).await], [429; 2]);

    redis.kill();
    for service in [&one, &other] {
        let each = [status(service).await, status(service).await, status(service).await, status(service).await];
        assert_eq!((each, status(service).await), ([200; 4], 429), "each counts for itself: {}", service.log());
        assert_eq!(service.log().matches("Redis is away: each machine counts").count(), 1, "{}", service.log());
    }
    wait_until("Redis is reported as unhealthy", || now(redis_is(&one)) == "unhealthy");

    redis.start_again();
    wait_until("Redis is reported as healthy", || now(redis_is(&one)) == "healthy");
    wait_until("Redis is asked again", || {
        now(status(&one));
        one.log().contains("Redis is back")
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_s_jobs_hold_for_all_machines_together() {
    let Some(redis) = Redis::start() else { return };
    let url = redis.url();
    let stack = Stack::server_with(&[]);
    let settings = [("LONGHAND_REDIS_URL", url.as_str()), ("LONGHAND_API_JOBS_PER_DAY", "3")];
    let (one, other) = (Service::on(&stack, &settings), Service::on(&stack, &settings));
    assert_eq!([redis_is(&one).await, redis_is(&other).await], ["healthy"; 2]);
    let start = async |service: &Service| {
        service.post_json("/v1/jobs", &json!({ "source": { "url": "http://nowhere/" } })).await.status
    };
    assert_eq!([start(&one).await, start(&other).await, start(&one).await], [202; 3]);
    assert_eq!([start(&one).await, start(&other).await], [429; 2]);
}
