//! Watching jobs until they end.

mod display;
mod interrupt;

use std::{convert::Infallible, time::Duration};

use display::{JobDisplay, ProgressDisplay};
use engine::temporal::client::{ClientError, JobEnd, Jobs};
use futures_util::future;
use tokio::time::MissedTickBehavior;

use crate::exit::Exit;

/// How often a job's progress is queried.
const POLL_INTERVAL: Duration = Duration::from_millis(400);

/// Before a server that does not answer is asked again.
const RECONNECT_PAUSE: Duration = Duration::from_secs(1);

/// A job that runs.
pub(crate) struct StartedJob {
    pub(crate) id: String,
    /// The name of its recording.
    pub(crate) name: String,
}

/// What came first: the end of the work, or Ctrl-C.
pub(crate) enum Outcome<T> {
    Finished(T),
    Interrupted(Exit),
}

/// Shows the progress of all jobs until each has ended; the ends are in the order of the jobs.
pub(crate) async fn watch_jobs(jobs: &Jobs, started: &[StartedJob]) -> anyhow::Result<Outcome<Vec<JobEnd>>> {
    let display = ProgressDisplay::new();
    let each = started.iter().map(|job| wait_and_show(jobs, &job.id, display.add(&job.name)));
    or_interrupted(jobs, started, future::try_join_all(each)).await
}

/// As [`watch_jobs`], for one job.
pub(crate) async fn watch_job(jobs: &Jobs, id: &str) -> anyhow::Result<Outcome<JobEnd>> {
    let started = StartedJob { id: id.to_owned(), name: id.to_owned() };
    let job = wait_and_show(jobs, id, ProgressDisplay::new().add(id));
    or_interrupted(jobs, std::slice::from_ref(&started), job).await
}

/// Does the work. Ctrl-C ends it, and asks what becomes of the jobs that were started.
pub(crate) async fn or_interrupted<T, E: Into<anyhow::Error>>(
    jobs: &Jobs,
    started: &[StartedJob],
    work: impl Future<Output = Result<T, E>>,
) -> anyhow::Result<Outcome<T>> {
    // The work is over, and its bars are gone, before anyone is asked anything.
    let finished = tokio::select! {
        finished = work => Some(finished.map_err(Into::into)?),
        pressed = tokio::signal::ctrl_c() => {
            pressed?;
            None
        }
    };
    match finished {
        Some(finished) => Ok(Outcome::Finished(finished)),
        None => Ok(Outcome::Interrupted(interrupt::ask_to_cancel(jobs, started).await?)),
    }
}

async fn wait_and_show(jobs: &Jobs, id: &str, display: JobDisplay) -> Result<JobEnd, ClientError> {
    tokio::select! {
        end = wait(jobs, id) => end,
        never = show_progress(jobs, id, display) => match never {},
    }
}

/// The job outlives its server, and so does the wait for it.
async fn wait(jobs: &Jobs, id: &str) -> Result<JobEnd, ClientError> {
    loop {
        match jobs.wait(id).await {
            Err(ClientError::Silent(_)) => tokio::time::sleep(RECONNECT_PAUSE).await,
            end => return end,
        }
    }
}

async fn show_progress(jobs: &Jobs, id: &str, mut display: JobDisplay) -> Infallible {
    let mut poll = tokio::time::interval(POLL_INTERVAL);
    poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        poll.tick().await;
        match jobs.progress(id).await {
            Ok(progress) => display.show(&progress),
            Err(ClientError::Silent(_)) => display.show_no_answer(),
            // The wait for the job's end meets the same error, and ends with it.
            Err(error) => tracing::debug!(id, %error, "no progress to show"),
        }
    }
}
