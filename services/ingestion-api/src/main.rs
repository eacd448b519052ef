//! Takes recordings in over HTTP and starts jobs.

mod accepted_job;
mod app_state;
mod batches;
mod caller;
mod form;
mod job_options;
mod jobs;
mod model_names;
mod models;
mod multipart_limit;
mod openai;
mod purge;
mod routes;
mod upload;

use ::models::AllowedModels;
use api::{Flags, Service};
use confique::Config;
use engine::config::{self, IngestSettings, IngestionApiSettings, ModelSettings, WebhookSettings};

const NAME: &str = env!("CARGO_PKG_NAME");
const ABOUT: &str = "Takes recordings in over HTTP and starts jobs";
const EXAMPLE: &str = "LONGHAND_INGESTION_API_ADDRESS=127.0.0.1:9000 ingestion-api";

#[derive(Config)]
struct Settings {
    #[config(nested)]
    ingest: IngestSettings,
    #[config(nested)]
    webhooks: WebhookSettings,
    #[config(nested)]
    ingestion_api: IngestionApiSettings,
    #[config(nested)]
    models: ModelSettings,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let flags = Flags::parse(NAME, ABOUT, EXAMPLE);
    let Settings { ingest, webhooks, ingestion_api, models } = config::load()?;
    let models = AllowedModels::of(&models)?;
    if flags.healthy {
        return Ok(api::check_ready(ingestion_api.address).await?);
    }
    let service = Service::start(NAME, ingestion_api.address).await?;
    let routes = routes::api(&service, &ingest, webhooks, models);
    Ok(service.serve(routes).await?)
}
