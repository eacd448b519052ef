//! Ctrl-C: the jobs go on unless the user asks for their cancellation.

use std::io::{self, Write};

use engine::temporal::client::{ClientError, Jobs};
use tokio::sync::oneshot;

use super::StartedJob;
use crate::{
    exit::Exit,
    terminal::{is_interactive, note},
};

/// Asks whether to cancel the jobs where somebody can answer, and says what becomes of them.
pub(super) async fn ask_to_cancel(jobs: &Jobs, started: &[StartedJob]) -> anyhow::Result<Exit> {
    if started.is_empty() {
        note("interrupted; nothing was started");
    }
    let question = match started.len() {
        1 => "\nThe job goes on. Cancel it? [y/N] ",
        _ => "\nThe jobs go on. Cancel them? [y/N] ",
    };
    let cancel = !started.is_empty() && is_interactive() && confirmed(question).await;
    for job in started {
        if !cancel {
            note(&format!("{0} goes on; `longhand watch {0}` follows it, `longhand cancel {0}` stops it", job.id));
            continue;
        }
        match jobs.cancel(&job.id).await {
            // It ended while the question was open.
            Ok(()) | Err(ClientError::NotFound { .. }) => note(&format!("{} is cancelled", job.id)),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Exit::Interrupted)
}

/// A second Ctrl-C and the end of the input mean no.
async fn confirmed(question: &str) -> bool {
    let (answer, answered) = oneshot::channel();
    if write!(io::stderr(), "{question}").is_err() {
        return false;
    }
    // A thread of its own: the runtime would wait for one of its own threads when the program ends.
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = io::stdin().read_line(&mut line);
        // Nobody listens any more after a second Ctrl-C.
        answer.send(read.is_ok() && matches!(line.trim(), "y" | "Y" | "yes")).ok();
    });
    tokio::select! {
        said = answered => said.unwrap_or(false),
        _ = tokio::signal::ctrl_c() => {
            note("");
            false
        }
    }
}
