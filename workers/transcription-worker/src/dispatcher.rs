//! One task hands the work of all jobs out to sessions. It alone owns the cores, the sessions that are idle and the
//! requests that wait; [`Scheduler`] decides what starts. A batch runs on a thread that may block, and gives its
//! session and its cores back together when it has ended, whether or not somebody still waits for what it found.

mod model;
mod request;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use futures::{StreamExt, stream::FuturesUnordered};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use self::request::Request;
pub(crate) use self::{model::Model, request::RecognisedChunk};
use crate::{
    recogniser::Session,
    scheduler::{Batch, Grant, ModelId, Scheduler},
};

/// Where requests are sent. The task ends with the last of its clones. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Dispatcher {
    messages: mpsc::UnboundedSender<Message>,
}

enum Message {
    Request(Request),
    /// The model has no users any more.
    Retire(ModelId),
    /// Answered when everything that was sent before is done.
    Flush(oneshot::Sender<()>),
}

impl Dispatcher {
    /// Starts the task, on the runtime of the caller.
    pub(crate) fn start(cores: usize) -> Self {
        let (messages, received) = mpsc::unbounded_channel();
        tokio::spawn(dispatch(received, State { scheduler: Scheduler::new(cores), idle: Vec::new() }));
        Self { messages }
    }

    /// Waits until the task has seen everything that was sent so far. The memory of dropped models is free then,
    /// unless a session is still at work with one.
    pub(crate) async fn flush(&self) {
        let (done, seen) = oneshot::channel();
        self.send(Message::Flush(done));
        // An error says that the task has ended, and its sessions with it.
        drop(seen.await);
    }

    fn send(&self, message: Message) {
        // Fails when the runtime is shutting down: whoever waits for an answer learns it by the missing answer.
        drop(self.messages.send(message));
    }
}

/// What the task owns.
struct State {
    scheduler: Scheduler<Request>,
    /// The one that was used last is last.
    idle: Vec<(ModelId, Session)>,
}

/// A batch that has ended.
struct Finished {
    model: Arc<Model>,
    /// None where it could not be made, or its thread panicked.
    session: Option<Session>,
    grant: Grant,
}

async fn dispatch(mut messages: mpsc::UnboundedReceiver<Message>, mut state: State) {
    let mut running = FuturesUnordered::new();
    loop {
        tokio::select! {
            // All that has come is known before the next batch is made up.
            biased;
            message = messages.recv() => match message {
                Some(message) => state.receive(message),
                None => break,
            },
            Some(finished) = running.next() => state.finish(finished),
        }
        state.scheduler.remove(Request::is_cancelled);
        while let Some(batch) = state.scheduler.next_batch() {
            let idle = state.idle_session(&batch.first.model);
            running.push(run(batch, idle));
        }
    }
    while running.next().await.is_some() {}
}

impl State {
    fn receive(&mut self, message: Message) {
        match message {
            Message::Request(request) => self.scheduler.push(request.demand(), request),
            Message::Retire(model) => self.idle.retain(|(of, _)| *of != model),
            // An error says that nobody waits for this any more.
            Message::Flush(done) => drop(done.send(())),
        }
    }

    fn finish(&mut self, Finished { model, session, grant }: Finished) {
        self.idle.extend(session.map(|session| (model.id(), session)));
        self.scheduler.finish(grant);
    }

    fn idle_session(&mut self, model: &Model) -> Option<Session> {
        let index = self.idle.iter().rposition(|(of, _)| *of == model.id())?;
        Some(self.idle.remove(index).1)
    }
}

/// Runs a batch to its end, which comes soon after all who asked for it have stopped waiting.
async fn run(batch: Batch<Request>, idle: Option<Session>) -> Finished {
    let Batch { first, along, grant } = batch;
    let model = Arc::clone(&first.model);
    let requests: Vec<Request> = std::iter::once(first).chain(along).collect();
    let cancelled: Vec<CancellationToken> = requests.iter().map(|request| request.cancelled.clone()).collect();
    let cancel = Arc::new(AtomicBool::new(false));
    let (recogniser, flag, cores) = (model.recogniser.clone(), Arc::clone(&cancel), grant.cores);
    let mut work = tokio::task::spawn_blocking(move || request::serve(requests, &recogniser, idle, cores, &flag));
    let ended = tokio::select! {
        ended = &mut work => ended,
        () = all(cancelled) => {
            cancel.store(true, Ordering::Relaxed);
            work.await
        }
    };
    let session = ended.unwrap_or_else(|error| {
        tracing::error!(%error, "a recogniser's thread ended early");
        None
    });
    Finished { model, session, grant }
}

async fn all(cancelled: Vec<CancellationToken>) {
    for cancelled in cancelled {
        cancelled.cancelled().await;
    }
}

#[cfg(test)]
mod tests;
