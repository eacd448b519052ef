//! Redis carries live events, and is missed by nobody when it is away.

use std::{
    net::TcpStream,
    process::{Child, Command, Stdio},
};

use futures_util::StreamExt;
use test_stack::{free_port, wait_until};

use crate::{live::events, service::Service};

struct Redis {
    port: u16,
    process: Child,
}

impl Redis {
    /// `None`, with a word about it, where there is no redis-server.
    fn start(port: u16) -> Option<Self> {
        let mut command = Command::new("redis-server");
        command.args(["--port", &port.to_string(), "--save", "", "--bind", "127.0.0.1"]);
        match command.stdout(Stdio::null()).spawn() {
            Ok(process) => {
                wait_until("Redis listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
                Some(Self { port, process })
            }
            Err(error) => {
                assert!(std::env::var_os("CI").is_none(), "redis-server is missing: {error}");
                eprintln!("skipped: there is no redis-server ({error}); install Debian's redis-server");
                None
            }
        }
    }

    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        // One that was killed already is as good.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

#[tokio::test]
async fn redis_may_go_and_come_back() {
    let port = free_port();
    let Some(mut redis) = Redis::start(port) else { return };
    let service = Service::start_with(&[("LONGHAND_REDIS_URL", &format!("redis://127.0.0.1:{}", redis.port))]);
    wait_until("the service listens to Redis", || {
        service.stack.log_of("job-status-api").contains("come through Redis")
    });
    assert_eq!(service.json("/health").await["dependencies"]["redis"], "healthy");
    service.transcribe("with", &[]);

    redis.kill();
    service.transcribe("without", &["--words"]);
    let told: Vec<_> = events(&service, "without", None).await.collect().await;
    assert!(told.len() >= 3, "{told:?}");
    wait_until("the loss is logged", || service.stack.log_of("job-status-api").contains("Redis is away"));
    let health = service.json("/health").await;
    assert_eq!((&health["status"], &health["dependencies"]["redis"]), (&"degraded".into(), &"unhealthy".into()));

    let _redis = Redis::start(port).unwrap();
    wait_until("the service listens again", || {
        service.stack.log_of("job-status-api").matches("come through Redis").count() == 2
    });
    service.transcribe("again", &["--prompt", "A speech."]);
    let logged = service.stack.log_of("job-status-api").matches("Redis is away").count();
    assert_eq!(logged, 1, "the loss is logged once");
}
