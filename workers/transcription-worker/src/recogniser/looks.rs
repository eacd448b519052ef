//! How often a chunk is looked at: once, unless the text is doubtful.

use std::{cmp::Ordering, sync::atomic::AtomicBool};

use engine::job::SpeechTask;

use super::{
    RecogniseOptions, RecogniserError,
    decoder::{Attempt, Context, Decoder, Pass, Search, Weights},
    judge::{self, Measures, Verdict},
};

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

/// What is kept of a chunk, `None` where nobody spoke, and how many looks it took beyond the first.
pub(super) type Outcome = (Option<Heard>, u32);

/// Looks at all chunks at once, and again at each that is doubtful. They have the same number of positions.
pub(super) fn listen(
    weights: &dyn Weights,
    decoder: &mut dyn Decoder,
    chunks: &[&[f32]],
    options: &RecogniseOptions,
    cancel: &AtomicBool,
) -> Result<Vec<Outcome>, RecogniserError> {
    let prompt = match &options.prompt {
        Some(prompt) => decoder.tokenise(prompt)?,
        None => Vec::new(),
    };
    let translate = options.task == SpeechTask::Translate;
    let attempt = |(context, search)| Attempt {
        language: &options.language,
        translate,
        prompt: &prompt,
        context,
        search,
        times: options.words,
    };
    let [first, ..] = LOOKS;
    let passes = decoder.decode(chunks, &attempt(first), cancel)?;
    let outcomes = chunks.iter().zip(passes).map(|(pcm, pass)| {
        let mut further = further_looks(weights, pcm.len()).map(attempt);
        settle(Heard::new(pass), || {
            let Some(attempt) = further.next() else { return Ok(None) };
            let pass = decoder.decode(&[pcm], &attempt, cancel)?.pop();
            Ok(pass.map(Heard::new))
        })
    });
    outcomes.collect()
}

/// The looks after the first one. A context that is as long as another one is not looked at twice.
fn further_looks(weights: &dyn Weights, samples: usize) -> impl Iterator<Item = (Context, Search)> {
    let is_same = move |one: (Context, Search), other: (Context, Search)| {
        one.1 == other.1 && weights.positions(one.0, samples) == weights.positions(other.0, samples)
    };
    let further = LOOKS.into_iter().enumerate().skip(1);
    further
        .filter(move |(index, look)| !LOOKS[..*index].iter().any(|earlier| is_same(*earlier, *look)))
        .map(|(_, look)| look)
}

/// The first pass that can be believed, else the best one. `look_again` gives further ones, while there are.
fn settle(
    first: Heard,
    mut look_again: impl FnMut() -> Result<Option<Heard>, RecogniserError>,
) -> Result<Outcome, RecogniserError> {
    let guessed = judge::is_guesswork(&first.measures);
    let mut best: Option<Heard> = None;
    let mut next = Some(first);
    let mut fallbacks = 0;
    while let Some(heard) = next {
        match judge::judge(&heard.pass, &heard.measures) {
            Verdict::Speech => return Ok((Some(heard), fallbacks)),
            Verdict::Silence => return Ok((None, fallbacks)),
            Verdict::Doubtful => {}
        }
        best = Some(match best {
            Some(best) => better(best, heard),
            None => heard,
        });
        next = look_again()?;
        fallbacks += u32::from(next.is_some());
    }
    let kept = best.filter(|best| !guessed && judge::is_kept(&best.pass, &best.measures));
    Ok((kept, fallbacks))
}

impl Heard {
    fn new(pass: Pass) -> Self {
        Self { measures: Measures::of(&pass), pass }
    }
}

/// A loop is worse than any doubt; else the surer one is better.
fn better(best: Heard, other: Heard) -> Heard {
    let order = best.measures.repeats().cmp(&other.measures.repeats());
    let order = order.then(other.measures.avg_logprob.total_cmp(&best.measures.avg_logprob));
    if order == Ordering::Greater { other } else { best }
}
