//! How often a chunk is looked at: once, unless the text is doubtful.

use std::{cmp::Ordering, sync::atomic::AtomicBool};

use engine::job::SpeechTask;

use super::{
    RecogniseOptions, RecogniserError,
    judge::{self, Measures, Verdict},
    whisper::{Attempt, Decoder, Pass, Search},
};

/// How much silence the encoder sees behind the chunk.
#[derive(Debug, Clone, Copy)]
enum Context {
    /// As little as is safe: the fast way.
    Shortest,
    /// As much as in Whisper's training.
    Full,
}

/// In the order in which they are tried. None of them draws lots, so that a chunk that is
/// recognised again, on another day or machine, gives the same text.
const LOOKS: [(Context, Search); 3] =
    [(Context::Shortest, Search::Greedy), (Context::Full, Search::Greedy), (Context::Full, Search::Beam(3))];

/// A pass that is kept, with what it is known for.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) pass: Pass,
    pub(super) measures: Measures,
}

/// The first pass that can be believed, else the best one; `None` where nobody spoke. Also how
/// many looks it took beyond the first.
pub(super) fn listen(
    decoder: &mut Decoder,
    pcm: &[f32],
    options: &RecogniseOptions,
    cancel: &AtomicBool,
) -> Result<(Option<Heard>, u32), RecogniserError> {
    let prompt = match &options.prompt {
        Some(prompt) => decoder.tokenise(prompt)?,
        None => Vec::new(),
    };
    let mut looks: Vec<Heard> = Vec::new();
    for attempt in attempts(decoder, pcm.len(), options, &prompt) {
        let fallbacks = looks.len() as u32;
        let pass = decoder.decode(pcm, &attempt, cancel)?;
        let heard = Heard { measures: Measures::of(&pass), pass };
        match judge::judge(&heard.pass, &heard.measures) {
            Verdict::Speech => return Ok((Some(heard), fallbacks)),
            Verdict::Silence => return Ok((None, fallbacks)),
            Verdict::Doubtful => looks.push(heard),
        }
    }
    let fallbacks = looks.len().saturating_sub(1) as u32;
    let guessed = looks.first().is_none_or(|first| judge::is_guesswork(&first.measures));
    let best = looks.into_iter().reduce(better);
    let kept = best.filter(|best| !guessed && judge::is_kept(&best.pass, &best.measures));
    Ok((kept, fallbacks))
}

/// A context that is as long as another one is not looked at twice.
fn attempts<'a>(
    decoder: &Decoder,
    samples: usize,
    options: &'a RecogniseOptions,
    prompt: &'a [i32],
) -> Vec<Attempt<'a>> {
    let mut attempts: Vec<Attempt<'a>> = Vec::new();
    for (context, search) in LOOKS {
        let context = match context {
            Context::Shortest => decoder.shortest_context(samples),
            Context::Full => decoder.full_context(samples),
        };
        if attempts.iter().all(|other| (other.context, other.search) != (context, search)) {
            let translate = options.task == SpeechTask::Translate;
            attempts.push(Attempt { language: &options.language, translate, prompt, context, search });
        }
    }
    attempts
}

/// A loop is worse than any doubt; else the surer one is better.
fn better(best: Heard, other: Heard) -> Heard {
    let order = best.measures.repeats().cmp(&other.measures.repeats());
    let order = order.then(other.measures.avg_logprob.total_cmp(&best.measures.avg_logprob));
    if order == Ordering::Greater { other } else { best }
}
