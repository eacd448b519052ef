//! Takes recordings in over HTTP and starts jobs.

mod accepted_job;
mod app_state;
mod batches;
mod caller;
mod form;
mod job_options;
mod jobs;
mod models;
mod multipart_limit;
mod openai;
mod purge;
mod routes;
mod upload;

use api::{Flags, Service};
use confique::Config;
use engine::config::{self, IngestSettings, IngestionApiSettings};

const NAME: &str = env!("CARGO_PKG_NAME");
const ABOUT: &str = "Takes recordings in over HTTP and starts jobs";
const EXAMPLE: &str = "LONGHAND_INGESTION_API_ADDRESS=127.0.0.1:9000 ingestion-api";

#[derive(Config)]
struct Settings {
    #[config(nested)]
    ingest: IngestSettings,
    #[config(nested)]
    ingestion_api: IngestionApiSettings,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let flags = Flags::parse(NAME, ABOUT, EXAMPLE);
    let Settings { ingest, ingestion_api } = config::load()?;
    if flags.healthy {
        return Ok(api::check_ready(ingestion_api.address).await?);
    }
    let service = Service::start(NAME, ingestion_api.address).await?;
    let routes = routes::api(&service, &ingest);
    Ok(service.serve(routes).await?)
}
