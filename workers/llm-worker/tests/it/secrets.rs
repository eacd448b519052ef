//! The key is sent to the endpoint and shown to nobody else.

use std::{
    io,
    sync::{Arc, Mutex},
};

use engine::llm::LlmTask;
use tracing_subscriber::{fmt::MakeWriter, util::SubscriberInitExt};

use crate::{
    endpoint::{Endpoint, Play},
    fixtures::{KEY, endpoint_settings, meeting, run},
};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// One thread, so that everything logs to the subscriber of the test.
#[tokio::test(flavor = "current_thread")]
async fn neither_logs_nor_errors_show_the_key_that_an_endpoint_quotes() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone());
    let guard = subscriber.finish().set_default();
    let quoting = format!("the key {KEY} is wrong");
    for status in [400, 401, 404, 500] {
        let play = Play::Status(status, "retry-after-ms: 1", quoting.clone());
        let endpoint = Endpoint::playing(vec![play; 4]).await;
        let settings = endpoint_settings(&endpoint.base_url);
        let error = run(&settings, &meeting(), &LlmTask::Summary).await.unwrap_err();
        assert!(error.message.contains("the key [secret] is wrong"), "{error}");
        assert!(!format!("{error:?} {settings:?}").contains(KEY));
        assert_eq!(endpoint.requests()[0].authorization, format!("Bearer {KEY}"));
    }
    drop(guard);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("trying again"), "the log was not captured: {log}");
    assert!(!log.contains(KEY), "{log}");
}
