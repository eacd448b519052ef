//! Tells how jobs stand: over HTTP, as live events, and on a web page.

mod app_state;
mod audio;
mod byte_range;
mod deliveries;
mod etag;
mod events;
mod job_view;
mod jobs;
mod llm_answers;
mod page;
mod recordings;
mod routes;
mod transcript;

use api::{Flags, Service};
use confique::Config;
use engine::config::{self, JobStatusApiSettings};

const NAME: &str = env!("CARGO_PKG_NAME");
const ABOUT: &str = "Tells how jobs stand: over HTTP, as live events, and on a web page";
const EXAMPLE: &str = "LONGHAND_JOB_STATUS_API_ADDRESS=127.0.0.1:9001 job-status-api";

#[derive(Config)]
struct Settings {
    #[config(nested)]
    job_status_api: JobStatusApiSettings,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let flags = Flags::parse(NAME, ABOUT, EXAMPLE);
    let address = config::load::<Settings>()?.job_status_api.address;
    if flags.healthy {
        return Ok(api::check_ready(address).await?);
    }
    let service = Service::start(NAME, address).await?;
    let routes = routes::api(&service);
    Ok(service.serve(routes).await?)
}
