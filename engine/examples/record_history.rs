//! Prints a workflow's history in the form that the replay tests read:
//!
//! ```sh
//! cargo run --release -p engine --example record_history -- JOB_ID > engine/tests/histories/NAME.json
//! ```
//!
//! The `TEMPORAL_*` variables name the server, as for every program of Longhand.

use std::{
    error::Error,
    io::{self, Write},
};

use engine::temporal::client::Jobs;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let id = std::env::args().nth(1).ok_or("name the job whose history to print")?;
    let history = Jobs::connect().await?.history(&id).await?;
    let history: serde_json::Value = serde_json::from_slice(&history)?;
    serde_json::to_writer(io::stdout(), &history)?;
    Ok(io::stdout().write_all(b"\n")?)
}
