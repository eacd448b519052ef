//! Following jobs to their ends.

mod interrupt;
mod view;

use std::{convert::Infallible, time::Duration};

use engine::temporal::client::{ClientError, JobEnd, Jobs};
use futures_util::future;
use tokio::time::MissedTickBehavior;
use view::{JobView, Screen};

use crate::exit::Exit;

/// How often a job is asked how far it is.
const POLL: Duration = Duration::from_millis(400);

/// How long a server that does not answer is left alone.
const RECONNECT: Duration = Duration::from_secs(1);

/// A job that is under way.
pub(crate) struct Started {
    pub(crate) id: String,
    /// What it is called among the others.
    pub(crate) name: String,
}

/// What came first: the end of the work, or Ctrl-C.
pub(crate) enum Outcome<T> {
    Finished(T),
    Interrupted(Exit),
}

/// Shows the progress of all jobs until each has ended; the ends are in the order of the jobs.
pub(crate) async fn follow(jobs: &Jobs, started: &[Started]) -> anyhow::Result<Outcome<Vec<JobEnd>>> {
    let screen = Screen::new();
    let each = started.iter().map(|job| follow_one(jobs, &job.id, screen.job(&job.name)));
    unless_interrupted(jobs, started, future::try_join_all(each)).await
}

/// As [`follow`], for a job by itself.
pub(crate) async fn follow_alone(jobs: &Jobs, id: &str) -> anyhow::Result<Outcome<JobEnd>> {
    let started = Started { id: id.to_owned(), name: id.to_owned() };
    let job = follow_one(jobs, id, Screen::new().job(id));
    unless_interrupted(jobs, std::slice::from_ref(&started), job).await
}

/// Does the work, during which Ctrl-C settles what becomes of the jobs that were started.
pub(crate) async fn unless_interrupted<T, E: Into<anyhow::Error>>(
    jobs: &Jobs,
    started: &[Started],
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
        None => Ok(Outcome::Interrupted(interrupt::settle(jobs, started).await?)),
    }
}

async fn follow_one(jobs: &Jobs, id: &str, view: JobView) -> Result<JobEnd, ClientError> {
    tokio::select! {
        end = wait(jobs, id) => end,
        never = show(jobs, id, view) => match never {},
    }
}

/// The job outlives its server, and so does the wait for it.
async fn wait(jobs: &Jobs, id: &str) -> Result<JobEnd, ClientError> {
    loop {
        match jobs.wait(id).await {
            Err(ClientError::Silent(_)) => tokio::time::sleep(RECONNECT).await,
            end => return end,
        }
    }
}

async fn show(jobs: &Jobs, id: &str, mut view: JobView) -> Infallible {
    let mut poll = tokio::time::interval(POLL);
    poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        poll.tick().await;
        match jobs.progress(id).await {
            Ok(progress) => view.show(&progress),
            Err(ClientError::Silent(_)) => view.show_silence(),
            // The wait for the job's end meets the same error, and ends with it.
            Err(error) => tracing::debug!(id, %error, "no progress to show"),
        }
    }
}
