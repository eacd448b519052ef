//! What can be asked of a session, and how a thread that may block serves it.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Instant,
};

use engine::error::StageError;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::Model;
use crate::{
    recogniser::{RecogniseOptions, Recogniser, RecogniserError, Recognition, Session},
    scheduler::{BatchKey, Demand, Priority},
};

pub(super) struct Request {
    pub(super) model: Arc<Model>,
    pub(super) priority: Priority,
    pub(super) work: Work,
    /// Cancelled when nobody waits for the answer any more.
    pub(super) cancelled: CancellationToken,
}

pub(super) enum Work {
    Recognise(Recognise),
    DetectLanguage(DetectLanguage),
}

pub(super) struct Recognise {
    /// 16 kHz, mono, from -1 to 1. One at least, and all of one `audio_ctx`.
    pub(super) chunks: Vec<Vec<f32>>,
    pub(super) audio_ctx: usize,
    pub(super) options: RecogniseOptions,
    pub(super) reply: Reply<Vec<RecognisedChunk>>,
}

pub(super) struct DetectLanguage {
    pub(super) pcm: Vec<f32>,
    pub(super) reply: Reply<Vec<(String, f32)>>,
}

pub(super) type Reply<T> = oneshot::Sender<Result<T, StageError>>;

/// What was heard in a chunk, and its share of the recogniser's time.
#[derive(Debug)]
pub(crate) struct RecognisedChunk {
    pub(crate) recognition: Recognition,
    pub(crate) seconds: f64,
}

/// Serves requests that share a batch, with a new session where none is idle. Gives the session back.
pub(super) fn serve(
    requests: Vec<Request>,
    recogniser: &Recogniser,
    idle: Option<Session>,
    cores: usize,
    cancel: &AtomicBool,
) -> Option<Session> {
    let mut session = match idle.map_or_else(|| recogniser.session(), Ok) {
        Ok(session) => session,
        Err(error) => {
            requests.into_iter().for_each(|request| request.work.refuse(&error));
            return None;
        }
    };
    session.set_threads(cores);
    let mut batch = Vec::new();
    for request in requests {
        match request.work {
            Work::Recognise(recognise) => batch.push(recognise),
            Work::DetectLanguage(detect) => detect.serve(&mut session, cancel),
        }
    }
    recognise(batch, &mut session, cancel);
    Some(session)
}

/// Recognises the chunks of all, and gives everybody their own.
fn recognise(batch: Vec<Recognise>, session: &mut Session, cancel: &AtomicBool) {
    let Some(first) = batch.first() else { return };
    let pcm: Vec<&[f32]> = batch.iter().flat_map(|one| &one.chunks).map(Vec::as_slice).collect();
    let samples: usize = pcm.iter().map(|pcm| pcm.len()).sum();
    let started = Instant::now();
    let recognised = session.recognise(&pcm, &first.options, cancel);
    let seconds_per_sample = started.elapsed().as_secs_f64() / samples.max(1) as f64;
    let mut recognised = recognised.map(Vec::into_iter);
    for Recognise { chunks, reply, .. } in batch {
        let shares = chunks.iter().map(|pcm| seconds_per_sample * pcm.len() as f64);
        // `zip` asks the shares first, and so takes nothing of the next request's when they are used up.
        let own = match &mut recognised {
            Ok(recognised) => {
                let own = shares.zip(recognised);
                Ok(own.map(|(seconds, recognition)| RecognisedChunk { recognition, seconds }).collect())
            }
            Err(error) => Err(stage_error(error)),
        };
        send(reply, own);
    }
}

impl Request {
    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.is_cancelled()
    }

    pub(super) fn demand(&self) -> Demand {
        let (chunks, batch_key) = match &self.work {
            Work::Recognise(Recognise { chunks, audio_ctx, options, .. }) => {
                (chunks.len(), Some(BatchKey { audio_ctx: *audio_ctx, options: options.clone() }))
            }
            Work::DetectLanguage(_) => (0, None),
        };
        Demand { limits: self.model.limits(), priority: self.priority, chunks, batch_key }
    }
}

impl Work {
    /// Says that there is no session to serve it.
    fn refuse(self, error: &RecogniserError) {
        let error = StageError::setup(error.to_string());
        match self {
            Self::Recognise(Recognise { reply, .. }) => send(reply, Err(error)),
            Self::DetectLanguage(DetectLanguage { reply, .. }) => send(reply, Err(error)),
        }
    }
}

impl DetectLanguage {
    fn serve(self, session: &mut Session, cancel: &AtomicBool) {
        let languages = session.detect_language(&self.pcm, cancel);
        send(self.reply, languages.map_err(|error| stage_error(&error)));
    }
}

/// What a recogniser's failure means for the job.
fn stage_error(error: &RecogniserError) -> StageError {
    match error {
        RecogniserError::Cancelled => StageError::cancelled(),
        other => StageError::transient(other.to_string()),
    }
}

fn send<T>(reply: Reply<T>, answer: Result<T, StageError>) {
    // Fails where whoever asked has stopped waiting: then there is nobody to tell.
    drop(reply.send(answer));
}
