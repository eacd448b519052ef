//! A loaded model: its weights, and sessions that take turns at the cores.

use std::sync::{Arc, Mutex, PoisonError};

use engine::{error::StageError, job::RecogniserChoice};

use crate::{
    batching::{Answer, Request, Requests},
    cancel::flag_of,
    recogniser::{Layout, Recogniser, Session},
    turns::{Turn, Turns, Urgency},
};

/// Weights in memory, the sessions that are not at work, and the chunks that wait for one.
pub(crate) struct Model {
    pub(crate) name: String,
    pub(crate) sha256: String,
    /// Never left open.
    pub(crate) choice: RecogniserChoice,
    pub(crate) recogniser: Recogniser,
    pub(crate) layout: Layout,
    idle: Mutex<Vec<Session>>,
    requests: Requests,
    turns: Turns,
}

impl Model {
    pub(crate) fn new(
        name: &str,
        sha256: String,
        choice: RecogniserChoice,
        recogniser: Recogniser,
        layout: Layout,
        turns: Turns,
    ) -> Self {
        let (idle, requests) = (Mutex::default(), Requests::default());
        Self { name: name.to_owned(), sha256, choice, recogniser, layout, idle, requests, turns }
    }

    /// Recognises a batch, together with others that wait for a session and have room in it.
    pub(crate) async fn recognise(self: &Arc<Self>, request: Request) -> Result<Answer, StageError> {
        let urgency = request.urgency;
        let mut answer = self.requests.add(request);
        // A turn serves whoever has waited longest, so that one may not be enough, and others' may do.
        loop {
            tokio::select! {
                biased;
                answer = &mut answer => return answer.map_err(|_| ended_early("its answer is missing")),
                turn = self.turn(urgency) => self.serve(turn?, urgency).await?,
            }
        }
    }

    async fn serve(self: &Arc<Self>, turn: Turn, urgency: Urgency) -> Result<(), StageError> {
        let Some(batch) = self.requests.next(urgency, self.layout.sessions, self.recogniser.max_batch()) else {
            return Ok(());
        };
        let flag = flag_of(batch.stops());
        self.at_turn(turn, move |session| batch.recognise(session, &flag.shared())).await
    }

    /// Runs blocking work with a session of this model, on a thread that may block, when its turn has come.
    pub(crate) async fn with_session<T: Send + 'static>(
        self: &Arc<Self>,
        urgency: Urgency,
        work: impl FnOnce(&mut Session) -> T + Send + 'static,
    ) -> Result<T, StageError> {
        let turn = self.turn(urgency).await?;
        self.at_turn(turn, work).await
    }

    async fn turn(&self, urgency: Urgency) -> Result<Turn, StageError> {
        let mut turn = self.turns.wait(self.layout.threads, urgency).await?;
        if urgency == Urgency::First && self.recogniser.takes_any_threads() {
            turn.widen();
        }
        Ok(turn)
    }

    async fn at_turn<T: Send + 'static>(
        self: &Arc<Self>,
        turn: Turn,
        work: impl FnOnce(&mut Session) -> T + Send + 'static,
    ) -> Result<T, StageError> {
        let model = Arc::clone(self);
        let done = blocking(move || {
            let idle = model.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut session = match idle {
                Some(session) => session,
                None => model.recogniser.session().map_err(|error| StageError::setup(error.to_string()))?,
            };
            session.set_threads(turn.cores());
            let done = work(&mut session);
            model.idle.lock().unwrap_or_else(PoisonError::into_inner).push(session);
            // Here, and so perhaps after everybody has stopped waiting for the outcome; and behind the line above, or
            // whose turn it is then would find no session, and make one more than there are cores for.
            drop(turn);
            Ok(done)
        });
        done.await?
    }
}

/// Runs work that blocks on a thread that may.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, StageError> {
    tokio::task::spawn_blocking(work).await.map_err(ended_early)
}

fn ended_early(reason: impl std::fmt::Display) -> StageError {
    StageError::transient(format!("the recogniser's thread ended early: {reason}"))
}
