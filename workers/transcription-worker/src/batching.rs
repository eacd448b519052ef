//! Dynamic batching: a batch that is not full takes along others that wait for a session, of whichever jobs, when its turn
//! comes. No chunk waits for others to come, and none goes along with others where another session could take it as soon.

use std::{
    sync::{Mutex, PoisonError, atomic::AtomicBool},
    time::Instant,
};

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::{
    recogniser::{RecogniseOptions, RecogniserError, Recognition, Session},
    turns::Urgency,
};

/// A batch of one work unit.
pub(crate) struct Request {
    /// 16 kHz, mono, from -1 to 1. One chunk at least.
    pub(crate) chunks: Vec<Vec<f32>>,
    /// What its chunks have in common with those that can go along.
    pub(crate) positions: usize,
    pub(crate) options: RecogniseOptions,
    pub(crate) urgency: Urgency,
    /// Falls when nobody waits for the answer any more.
    pub(crate) stop: CancellationToken,
}

/// What was heard in each chunk, and its share of the recogniser's time in seconds.
pub(crate) type Answer = Result<Vec<(Recognition, f64)>, RecogniserError>;

/// What waits for a session, in the order of coming.
#[derive(Default)]
pub(crate) struct Requests {
    waiting: Mutex<Vec<Waiting>>,
}

/// Requests that a session serves at once.
pub(crate) struct Batch(Vec<Waiting>);

struct Waiting {
    request: Request,
    answer: oneshot::Sender<Answer>,
}

impl Requests {
    pub(crate) fn add(&self, request: Request) -> oneshot::Receiver<Answer> {
        let (answer, answered) = oneshot::channel();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(Waiting { request, answer });
        answered
    }

    /// The next batch of one of so many sessions: the request that has waited longest, and those that can go along, up to
    /// this session's share of all chunks that wait, and `most`. None where nobody waits any more.
    pub(crate) fn next(&self, urgency: Urgency, sessions: usize, most: usize) -> Option<Batch> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|one| !one.request.stop.is_cancelled());
        let all: usize = waiting.iter().map(Waiting::chunks).sum();
        let share = all.div_ceil(sessions).min(most);
        let first = waiting.iter().position(|one| one.request.urgency == urgency)?;
        let first = waiting.remove(first);
        let mut taken = first.chunks();
        let along = waiting.extract_if(.., |one| {
            let fits = first.goes_with(one) && taken + one.chunks() <= share;
            taken += if fits { one.chunks() } else { 0 };
            fits
        });
        let along: Vec<Waiting> = along.collect();
        Some(Batch([first].into_iter().chain(along).collect()))
    }
}

impl Waiting {
    fn chunks(&self) -> usize {
        self.request.chunks.len()
    }

    fn goes_with(&self, other: &Self) -> bool {
        let (own, others) = (&self.request, &other.request);
        own.positions == others.positions && own.urgency == others.urgency && own.options == others.options
    }
}

impl Batch {
    pub(crate) fn stops(&self) -> Vec<CancellationToken> {
        self.0.iter().map(|one| one.request.stop.clone()).collect()
    }

    /// Recognises the chunks, and gives everybody their own.
    pub(crate) fn recognise(self, session: &mut Session, cancel: &AtomicBool) {
        let Some(first) = self.0.first() else { return };
        let pcm: Vec<&[f32]> = self.0.iter().flat_map(|one| &one.request.chunks).map(Vec::as_slice).collect();
        let samples: usize = pcm.iter().map(|pcm| pcm.len()).sum();
        // Waiting for a turn is not the recogniser's time.
        let started = Instant::now();
        let recognised = session.recognise(&pcm, &first.request.options, cancel);
        let seconds_per_sample = started.elapsed().as_secs_f64() / samples.max(1) as f64;
        let mut recognised = recognised.map(Vec::into_iter);
        for Waiting { request, answer } in self.0 {
            let shares = request.chunks.iter().map(|pcm| seconds_per_sample * pcm.len() as f64);
            // `zip` asks the shares first, and so takes nothing of the next request's when they are used up.
            let own = match &mut recognised {
                Ok(recognised) => Ok(shares.zip(recognised).map(|(share, heard)| (heard, share)).collect()),
                Err(error) => Err(error.clone()),
            };
            // Fails where whoever asked has stopped waiting: then there is nobody to tell.
            let _ = answer.send(own);
        }
    }
}

#[cfg(test)]
mod tests {
    use engine::job::SpeechTask;
    use tokio_util::sync::CancellationToken;

    use super::{Batch, Request, Requests};
    use crate::{
        recogniser::RecogniseOptions,
        turns::Urgency::{self, First, InLine},
    };

    /// Its samples tell its place.
    fn request(place: usize, chunks: usize, positions: usize, urgency: Urgency, language: &str) -> Request {
        let language = language.to_owned();
        let options = RecogniseOptions { language, task: SpeechTask::Transcribe, prompt: None, words: false };
        let chunks = vec![vec![place as f32]; chunks];
        Request { chunks, positions, options, urgency, stop: CancellationToken::new() }
    }

    fn places(Batch(batch): &Batch) -> Vec<usize> {
        batch.iter().map(|one| one.request.chunks[0][0] as usize).collect()
    }

    #[test]
    fn a_session_takes_its_share_of_what_waits_and_is_decoded_alike() {
        let one = (1, 850, InLine, "en");
        let two = (2, 850, InLine, "en");
        let short = (1, 500, InLine, "en");
        let german = (1, 850, InLine, "de");
        let clip = (1, 850, First, "en");
        for (come, sessions, most, expected) in [
            (vec![], 2, 4, vec![]),
            (vec![one; 3], 1, 1, vec![vec![0], vec![1], vec![2]]),
            (vec![one; 3], 1, 2, vec![vec![0, 1], vec![2]]),
            (vec![one; 3], 2, 4, vec![vec![0, 1], vec![2]]),
            (vec![one; 2], 2, 4, vec![vec![0], vec![1]]),
            (vec![one, one, short], 2, 4, vec![vec![0, 1], vec![2]]),
            (vec![one, two, one, one], 1, 3, vec![vec![0, 1], vec![2, 3]]),
            (vec![two, one, two, one], 1, 2, vec![vec![0], vec![1, 3], vec![2]]),
            (vec![one, short, german, clip, one], 1, 4, vec![vec![0, 4], vec![1], vec![2]]),
        ] {
            let requests = Requests::default();
            for (place, (chunks, positions, urgency, language)) in come.iter().enumerate() {
                requests.add(request(place, *chunks, *positions, *urgency, language));
            }
            let batches = std::iter::from_fn(|| requests.next(InLine, sessions, most));
            let taken: Vec<Vec<usize>> = batches.map(|batch| places(&batch)).collect();
            assert_eq!(taken, expected, "{come:?}, {sessions} sessions, at most {most}");
        }
    }

    #[test]
    fn who_has_stopped_waiting_is_left_out() {
        let requests = Requests::default();
        for place in 0..4 {
            let request = request(place, 1, 850, First, "en");
            if place % 2 == 0 {
                request.stop.cancel();
            }
            requests.add(request);
        }
        let batch = requests.next(First, 1, 4);
        assert_eq!(batch.as_ref().map(places), Some(vec![1, 3]));
        assert!(requests.next(First, 1, 4).is_none());
    }
}
