use engine::job::SpeechTask;

use super::{
    Batch, BatchKey, Demand, Grant, ModelId, ModelLimits,
    Priority::{self, First, Normal},
    Scheduler,
};
use crate::recogniser::RecogniseOptions;

const ONE_THREAD: ModelLimits =
    ModelLimits { model: ModelId(1), sessions: 2, threads: 1, max_batch: 1, takes_any_threads: true };
const TWO_THREADS: ModelLimits = ModelLimits { model: ModelId(2), sessions: 1, threads: 2, ..ONE_THREAD };

fn demand(limits: ModelLimits, priority: Priority, chunks: usize, audio_ctx: usize, language: &str) -> Demand {
    let language = language.to_owned();
    let options = RecogniseOptions { language, task: SpeechTask::Transcribe, prompt: None, words: false };
    Demand { limits, priority, chunks, batch_key: Some(BatchKey { audio_ctx, options }) }
}

fn one_chunk(limits: ModelLimits, priority: Priority) -> Demand {
    demand(limits, priority, 1, 850, "en")
}

/// Every batch, in the order in which they start where one ends before the next begins.
fn batches<T>(scheduler: &mut Scheduler<T>) -> Vec<Vec<T>> {
    let next = || {
        let Batch { first, along, grant } = scheduler.next_batch()?;
        scheduler.finish(grant);
        Some([first].into_iter().chain(along).collect())
    };
    std::iter::from_fn(next).collect()
}

/// What can start at once, and on how many cores.
fn start<T>(scheduler: &mut Scheduler<T>) -> Vec<(T, Grant)> {
    std::iter::from_fn(|| scheduler.next_batch()).map(|batch| (batch.first, batch.grant)).collect()
}

#[test]
fn a_session_takes_its_share_of_what_waits_and_is_decoded_alike() {
    let one = (1, 850, Normal, "en");
    let two = (2, 850, Normal, "en");
    let short = (1, 500, Normal, "en");
    let german = (1, 850, Normal, "de");
    let clip = (1, 850, First, "en");
    for (come, sessions, max_batch, expected) in [
        (vec![], 2, 4, vec![]),
        (vec![one; 3], 1, 1, vec![vec![0], vec![1], vec![2]]),
        (vec![one; 3], 1, 2, vec![vec![0, 1], vec![2]]),
        (vec![one; 3], 2, 4, vec![vec![0, 1], vec![2]]),
        (vec![one; 2], 2, 4, vec![vec![0], vec![1]]),
        (vec![one, one, short], 2, 4, vec![vec![0, 1], vec![2]]),
        (vec![one, two, one, one], 1, 3, vec![vec![0, 1], vec![2, 3]]),
        (vec![two, one, two, one], 1, 2, vec![vec![0], vec![1, 3], vec![2]]),
        (vec![one, short, german, clip, one], 1, 4, vec![vec![3], vec![0, 4], vec![1], vec![2]]),
        (vec![clip, one, clip], 1, 4, vec![vec![0, 2], vec![1]]),
    ] {
        let limits = ModelLimits { sessions, max_batch, ..ONE_THREAD };
        let mut scheduler = Scheduler::new(1);
        for (place, (chunks, audio_ctx, priority, language)) in come.iter().enumerate() {
            scheduler.push(demand(limits, *priority, *chunks, *audio_ctx, language), place);
        }
        assert_eq!(batches(&mut scheduler), expected, "{come:?}, {sessions} sessions, at most {max_batch}");
    }
}

#[test]
fn models_and_what_has_no_key_share_no_batch() {
    let limits = ModelLimits { sessions: 1, max_batch: 4, ..ONE_THREAD };
    let other_model = ModelLimits { model: ModelId(2), ..limits };
    let alone = Demand { chunks: 0, batch_key: None, ..one_chunk(limits, Normal) };
    let mut scheduler = Scheduler::new(1);
    for (place, demand) in
        [one_chunk(limits, Normal), one_chunk(other_model, Normal), alone.clone(), alone, one_chunk(limits, Normal)]
            .into_iter()
            .enumerate()
    {
        scheduler.push(demand, place);
    }
    assert_eq!(batches(&mut scheduler), [vec![0, 4], vec![1], vec![2], vec![3]]);
}

#[test]
fn who_has_stopped_waiting_is_left_out() {
    for priority in [First, Normal] {
        let limits = ModelLimits { sessions: 1, max_batch: 4, ..ONE_THREAD };
        let mut scheduler = Scheduler::new(1);
        for place in 0..4 {
            scheduler.push(one_chunk(limits, priority), place);
        }
        scheduler.remove(|place| place % 2 == 0);
        assert_eq!(batches(&mut scheduler), [vec![1, 3]], "{priority:?}");
    }
}

#[test]
fn what_is_cancelled_while_it_is_due_gives_its_claim_back() {
    let mut scheduler = Scheduler::new(2);
    scheduler.push(one_chunk(ONE_THREAD, First), "clip");
    let running = start(&mut scheduler);
    scheduler.push(one_chunk(TWO_THREADS, Normal), "cancelled");
    assert!(start(&mut scheduler).is_empty());
    scheduler.remove(|name| *name == "cancelled");
    assert_eq!((scheduler.free_cores, scheduler.free_claims), (0, 2));
    running.into_iter().for_each(|(_, grant)| scheduler.finish(grant));
    scheduler.push(one_chunk(TWO_THREADS, Normal), "unit");
    assert_eq!(batches(&mut scheduler), [["unit"]]);
}

#[test]
fn first_words_wait_for_what_is_running_only() {
    let mut scheduler = Scheduler::new(2);
    scheduler.push(one_chunk(TWO_THREADS, Normal), "running");
    let running = start(&mut scheduler);
    for (name, priority) in [("unit 1", Normal), ("unit 2", Normal), ("clip 1", First), ("clip 2", First)] {
        scheduler.push(one_chunk(TWO_THREADS, priority), name);
        assert!(start(&mut scheduler).is_empty());
    }
    running.into_iter().for_each(|(_, grant)| scheduler.finish(grant));
    assert_eq!(batches(&mut scheduler), [["clip 1"], ["clip 2"], ["unit 1"], ["unit 2"]]);
}

/// However many clips come, normal work goes on between them.
#[test]
fn first_words_that_come_later_do_not_pass_work_that_is_due() {
    let mut scheduler = Scheduler::new(2);
    scheduler.push(one_chunk(TWO_THREADS, First), "running");
    let running = start(&mut scheduler);
    for (name, priority) in [("unit 1", Normal), ("unit 2", Normal), ("clip 1", First), ("clip 2", First)] {
        scheduler.push(one_chunk(TWO_THREADS, priority), name);
        assert!(start(&mut scheduler).is_empty());
    }
    running.into_iter().for_each(|(_, grant)| scheduler.finish(grant));
    assert_eq!(batches(&mut scheduler), [["unit 1"], ["clip 1"], ["clip 2"], ["unit 2"]]);
}

#[test]
fn first_words_take_the_cores_that_nothing_waits_for() {
    let three_threads = ModelLimits { threads: 3, ..TWO_THREADS };
    let fixed = ModelLimits { takes_any_threads: false, ..ONE_THREAD };
    for (come, expected) in [
        (vec![(ONE_THREAD, First)], vec![(0, 4)]),
        (vec![(TWO_THREADS, First)], vec![(0, 4)]),
        (vec![(fixed, First)], vec![(0, 1)]),
        (vec![(ONE_THREAD, Normal)], vec![(0, 1)]),
        (vec![(ONE_THREAD, First), (ONE_THREAD, First)], vec![(0, 1), (1, 3)]),
        (vec![(ONE_THREAD, Normal), (ONE_THREAD, First)], vec![(0, 1), (1, 3)]),
        (vec![(ONE_THREAD, First), (ONE_THREAD, Normal)], vec![(0, 1), (1, 1)]),
        // The second one waits for a third core, so the first one leaves two alone.
        (vec![(TWO_THREADS, First), (three_threads, First)], vec![(0, 2)]),
    ] {
        let mut scheduler = Scheduler::new(4);
        scheduler.push(one_chunk(ONE_THREAD, First), usize::MAX);
        let running = start(&mut scheduler);
        for (place, (limits, priority)) in come.iter().enumerate() {
            scheduler.push(one_chunk(*limits, *priority), place);
            assert!(start(&mut scheduler).is_empty());
        }
        running.into_iter().for_each(|(_, grant)| scheduler.finish(grant));
        let started = start(&mut scheduler);
        let cores: Vec<_> = started.iter().map(|(place, grant)| (*place, grant.cores)).collect();
        assert_eq!(cores, expected, "{come:?}");
    }
}

#[test]
fn free_cores_are_taken_and_given_back() {
    let mut scheduler = Scheduler::new(4);
    for name in ["wide", "other"] {
        scheduler.push(one_chunk(ONE_THREAD, First), name);
    }
    let mut running = start(&mut scheduler);
    assert_eq!(scheduler.free_cores, 0);
    let (_, widened) = running.remove(1);
    assert_eq!(widened.cores, 3);
    scheduler.finish(widened);
    assert_eq!(scheduler.free_cores, 3);
}

/// A request that needs many cores is not passed by those that need few, or it might wait for ever.
#[test]
fn no_request_passes_one_that_waits_for_more_cores() {
    let mut scheduler = Scheduler::new(2);
    scheduler.push(one_chunk(ONE_THREAD, Normal), "running");
    let running = start(&mut scheduler);
    scheduler.push(one_chunk(TWO_THREADS, Normal), "wide");
    scheduler.push(one_chunk(ONE_THREAD, Normal), "narrow");
    assert!(start(&mut scheduler).is_empty());
    running.into_iter().for_each(|(_, grant)| scheduler.finish(grant));
    assert_eq!(batches(&mut scheduler), [["wide"], ["narrow"]]);
}
