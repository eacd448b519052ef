//! Ctrl-C: the jobs go on unless the user asks for their cancellation.

use engine::temporal::client::{ClientError, Jobs};

use super::StartedJob;
use crate::{
    exit::Exit,
    terminal::{confirmed, is_interactive, note},
};

/// Asks whether to cancel the jobs where somebody can answer, and says what becomes of them.
pub(super) async fn ask_to_cancel(jobs: &Jobs, started: &[StartedJob]) -> anyhow::Result<Exit> {
    if started.is_empty() {
        note("interrupted; nothing was started");
    }
    let question = match started.len() {
        1 => "\nThe job goes on. Cancel it?",
        _ => "\nThe jobs go on. Cancel them?",
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
