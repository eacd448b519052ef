//! Where the parts of a job are found, as addresses that hold outside this machine, too.

use engine::config::{INGESTION_API_PORT, LinkSettings};
use serde::Serialize;
use utoipa::ToSchema;

use crate::scope::JobName;

/// Makes the links of jobs; cheap to clone.
#[derive(Debug, Clone)]
pub struct Links {
    status_url: String,
    ingestion_url: String,
}

/// A job's addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct JobLinks {
    /// Where the job stands.
    #[serde(rename = "self")]
    pub this: String,
    /// Its progress and its text as server-sent events.
    pub events: String,
    /// Its text, once it has ended.
    pub transcript: String,
    /// DELETE here cancels it.
    pub cancel: String,
}

impl Links {
    pub fn new(settings: &LinkSettings) -> Self {
        let on_this_machine = || format!("http://127.0.0.1:{INGESTION_API_PORT}");
        let ingestion_url = settings.ingestion_url.clone().unwrap_or_else(on_this_machine);
        let [status_url, ingestion_url] =
            [&settings.status_url, &ingestion_url].map(|url| url.trim_end_matches('/').to_owned());
        Self { status_url, ingestion_url }
    }

    pub fn job(&self, name: &JobName) -> JobLinks {
        let this = format!("{}/v1/jobs/{name}", self.status_url);
        JobLinks {
            events: format!("{this}/events"),
            transcript: format!("{this}/transcript.json"),
            cancel: format!("{}/v1/jobs/{name}", self.ingestion_url),
            this,
        }
    }
}
