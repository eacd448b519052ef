use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use engine::{
    error::{FailureKind, StageError},
    job::{RecogniserChoice, SpeechTask},
};
use futures::{future::join_all, poll};

use super::{Dispatcher, Model, RecognisedChunk};
use crate::{
    recogniser::{
        Layout, RecogniseOptions, Recogniser,
        fake::{Control, End},
    },
    scheduler::Priority,
};

fn model(sessions: usize) -> (Dispatcher, Arc<Model>, Control) {
    let dispatcher = Dispatcher::start(sessions);
    let (recogniser, control) = Recogniser::fake();
    let layout = Layout { sessions, threads: 1, batch: 4 };
    let choice = RecogniserChoice::Whisper;
    let model = Model::new("fake", String::new(), choice, recogniser, layout, dispatcher.clone());
    (dispatcher, Arc::new(model), control)
}

type Recognised<'a> = Pin<Box<dyn Future<Output = Result<Vec<RecognisedChunk>, StageError>> + 'a>>;

/// Chunks of one sample, which is loud enough to be recognised.
fn recognise(model: &Arc<Model>, chunks: usize) -> Recognised<'_> {
    let options =
        RecogniseOptions { language: "en".to_owned(), task: SpeechTask::Transcribe, prompt: None, words: false };
    Box::pin(model.recognise(Priority::Normal, vec![vec![0.5]; chunks], options))
}

/// Sends the request, whose answer is not there yet.
async fn ask<'a>(model: &'a Arc<Model>, chunks: usize) -> Recognised<'a> {
    let mut request = recognise(model, chunks);
    assert!(poll!(&mut request).is_pending());
    request
}

#[tokio::test]
async fn as_many_sessions_as_there_are_cores_serve_all_requests() {
    let (_, model, mut control) = model(2);
    let requests: Vec<_> = (0..6).map(|_| recognise(&model, 3)).collect();
    for _ in 0..6 {
        control.ends.send(End::Well).unwrap();
    }
    let answers = join_all(requests).await;
    assert!(answers.iter().all(|answer| answer.as_ref().is_ok_and(|chunks| chunks.len() == 3)), "{answers:?}");
    assert_eq!(control.sessions(), 2);
    for _ in 0..6 {
        assert_eq!(control.begun.recv().await, Some(3));
    }
}

#[tokio::test]
async fn everybody_gets_their_own_share_of_a_batch() {
    let (_, model, mut control) = model(1);
    let first = ask(&model, 4).await;
    assert_eq!(control.begun.recv().await, Some(4));
    let others = [ask(&model, 1).await, ask(&model, 2).await];
    control.ends.send(End::Well).unwrap();
    assert_eq!(first.await.unwrap().len(), 4);
    assert_eq!(control.begun.recv().await, Some(3));
    control.ends.send(End::Well).unwrap();
    let answers = join_all(others).await;
    let lengths: Vec<usize> = answers.into_iter().map(|answer| answer.unwrap().len()).collect();
    assert_eq!(lengths, [1, 2]);
}

#[tokio::test]
async fn languages_are_detected_in_between() {
    let (_, model, mut control) = model(1);
    let first = ask(&model, 1).await;
    assert_eq!(control.begun.recv().await, Some(1));
    control.ends.send(End::Well).unwrap();
    control.ends.send(End::Well).unwrap();
    let (first, languages) = tokio::join!(first, model.detect_language(Priority::First, vec![0.5]));
    assert_eq!((first.unwrap().len(), languages.unwrap()[0].0.as_str()), (1, "de"));
}

/// Each of the later requests begins only when the one before has given its core back.
#[tokio::test]
async fn who_stops_waiting_cancels_what_is_queued_and_what_is_running() {
    let (_, model, mut control) = model(1);
    let running = ask(&model, 1).await;
    assert_eq!(control.begun.recv().await, Some(1));
    let queued = ask(&model, 2).await;
    let last = ask(&model, 3).await;
    drop((running, queued));
    assert_eq!(control.begun.recv().await, Some(3));
    control.ends.send(End::Well).unwrap();
    assert_eq!(last.await.unwrap().len(), 3);
    assert!(control.begun.is_empty());
}

#[tokio::test]
async fn a_panic_costs_its_own_batch_only() {
    let (_, model, mut control) = model(1);
    let unlucky = ask(&model, 4).await;
    assert_eq!(control.begun.recv().await, Some(4));
    let next = ask(&model, 1).await;
    control.ends.send(End::Panic).unwrap();
    let error = unlucky.await.unwrap_err();
    assert_eq!(error.kind, FailureKind::Transient, "{error}");
    assert_eq!(control.begun.recv().await, Some(1));
    control.ends.send(End::Well).unwrap();
    assert_eq!(next.await.unwrap().len(), 1);
    assert_eq!(control.sessions(), 1);
}

#[tokio::test]
async fn a_session_that_cannot_be_made_is_told_to_those_who_need_it() {
    let (_, model, control) = model(1);
    control.run_out_of_memory();
    let error = recognise(&model, 1).await.unwrap_err();
    assert_eq!(error.kind, FailureKind::Setup);
    assert!(error.to_string().contains("memory is short"), "{error}");
    let error = model.detect_language(Priority::First, vec![0.5]).await.unwrap_err();
    assert_eq!(error.kind, FailureKind::Setup);
}

#[tokio::test]
async fn a_model_that_nobody_uses_any_more_is_freed() {
    let (dispatcher, model, control) = model(1);
    control.ends.send(End::Well).unwrap();
    recognise(&model, 1).await.unwrap();
    dispatcher.flush().await;
    assert_eq!(control.sessions(), 1);
    drop(model);
    no_session_is_left(&dispatcher, &control).await;
}

#[tokio::test]
async fn a_model_whose_last_user_stops_waiting_is_freed_when_its_session_has_ended() {
    let (dispatcher, model, mut control) = model(1);
    let cancelled = ask(&model, 1).await;
    assert_eq!(control.begun.recv().await, Some(1));
    drop(cancelled);
    drop(model);
    no_session_is_left(&dispatcher, &control).await;
}

/// A session comes back from its thread a moment after its batch was answered, and only then it can be freed.
async fn no_session_is_left(dispatcher: &Dispatcher, control: &Control) {
    let freed = async {
        while control.sessions() > 0 {
            dispatcher.flush().await;
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), freed).await.unwrap();
}
