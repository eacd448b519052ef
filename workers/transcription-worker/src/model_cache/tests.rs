use std::{
    path::{Path, PathBuf},
    sync::{Arc, LazyLock, Weak},
    time::Duration,
};

use engine::{
    config::{self, CacheSettings, ModelSettings, Quantisation, TranscribeSettings},
    error::{FailureKind, StageError},
    job::SpeechOptions,
};
use futures::poll;
use models::{AllowedModels, Cache, Format};
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::ModelCache;
use crate::{
    dispatcher::Model,
    downloads::AwaitedDownload,
    memory::{Footprint, gigabytes},
};

/// Whisper base in 8 bits, fetched where it is missing.
static BASE: LazyLock<(PathBuf, u64)> = LazyLock::new(|| {
    let settings: CacheSettings = config::load().unwrap();
    let fetched = std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let format = Format::Ggml(Quantisation::Q8_0);
        runtime.block_on(format.weights("base", &Cache::of(&settings), &|_| ())).unwrap()
    });
    let weights = fetched.join().unwrap();
    (weights.path, weights.bytes)
});

/// A worker of one core, with room for so many models of the size of base.
struct Worker {
    models: Arc<ModelCache>,
    folder: TempDir,
}

impl Worker {
    fn with_room_for(models: u64) -> Self {
        Self::new(base_at_work() * models + base_at_work() / 2, None, "http://127.0.0.1:1")
    }

    fn new(memory: u64, listed: Option<&str>, hub: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = TranscribeSettings {
            model: "base".to_owned(),
            recogniser: Default::default(),
            quantisation: Quantisation::Q8_0,
            cores: Some(1),
            memory_mb: Some(memory / 1_000_000),
            batch: 1,
            threads: None,
        };
        let listed = ModelSettings { models: listed.map(|model| vec![model.to_owned()]) };
        let cache =
            Cache { folder: folder.path().join("cache"), hub: hub.to_owned(), stall_limit: Duration::from_secs(3600) };
        let models = ModelCache::new(settings, AllowedModels::of(&listed).unwrap(), cache);
        Self { models: Arc::new(models), folder }
    }

    /// Base under another name.
    fn copy(&self, name: &str) -> String {
        let copy = self.folder.path().join(name).with_extension("bin");
        if !copy.exists() {
            std::os::unix::fs::symlink(&BASE.0, &copy).unwrap();
        }
        copy.display().to_string()
    }

    async fn get(&self, model: &str) -> Result<Arc<Model>, StageError> {
        let speech = SpeechOptions { model: Some(model.to_owned()), ..SpeechOptions::default() };
        self.models.get(&speech, &AwaitedDownload::default()).await
    }

    /// Uses a copy, and gives what tells whether it is still in memory.
    async fn use_copy(&self, name: &str) -> Weak<Model> {
        Arc::downgrade(&self.get(&self.copy(name)).await.unwrap())
    }
}

fn base_at_work() -> u64 {
    Footprint::of(engine::job::RecogniserChoice::Whisper, BASE.1, 1).with(1)
}

#[tokio::test]
async fn models_stay_as_long_as_there_is_room_and_the_one_used_longest_ago_goes_first() {
    let worker = Worker::with_room_for(2);
    let first = worker.use_copy("first").await;
    let second = worker.use_copy("second").await;
    for _ in 0..3 {
        assert!(Weak::ptr_eq(&worker.use_copy("second").await, &second), "loaded again");
        assert!(Weak::ptr_eq(&worker.use_copy("first").await, &first), "loaded again");
    }
    let third = worker.use_copy("third").await;
    let in_memory = [&first, &second, &third].map(|model| model.strong_count() > 0);
    assert_eq!(in_memory, [true, false, true]);
}

#[tokio::test]
async fn a_model_that_waits_for_one_in_use_gets_its_turn() {
    let worker = Worker::with_room_for(1);
    let in_use = worker.get(&worker.copy("first")).await.unwrap();
    let (first, second) = (worker.copy("first"), worker.copy("second"));
    let mut next = Box::pin(worker.get(&second));
    while worker.models.gate.try_read().is_ok() {
        assert!(poll!(&mut next).is_pending(), "the one in use was not counted");
        tokio::task::yield_now().await;
    }
    let mut again = Box::pin(worker.get(&first));
    assert!(poll!(&mut again).is_pending(), "others would use it on and on");
    drop(in_use);
    let next = next.await.unwrap();
    assert_eq!(next.name, second);
    drop(next);
    assert_eq!(again.await.unwrap().name, first);
}

#[tokio::test]
async fn a_model_is_kept_while_another_ones_weights_are_on_their_way() {
    // Whoever connects waits for ever.
    let hub = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let worker = Worker::new(base_at_work() * 3 / 2, None, &format!("http://{}", hub.local_addr().unwrap()));
    let loaded = worker.use_copy("first").await;
    let mut small = Box::pin(worker.get("small"));
    let _waiting = tokio::select! {
        connection = hub.accept() => connection.unwrap(),
        ended = &mut small => panic!("{:?}", ended.err()),
    };
    assert!(poll!(&mut small).is_pending());
    assert!(Weak::ptr_eq(&worker.use_copy("first").await, &loaded), "dropped before its successor is there");
}

#[tokio::test]
async fn what_is_too_large_for_the_worker_is_refused_before_it_is_loaded() {
    let worker = Worker::new(300_000_000, None, "http://127.0.0.1:1");
    let refused = worker.get(&worker.copy("large")).await.err().unwrap();
    assert_eq!(refused.kind, FailureKind::Setup, "{refused}");
    for number in [base_at_work(), 300_000_000].map(gigabytes) {
        assert!(refused.to_string().contains(&number), "{number}: {refused}");
    }
}

#[tokio::test]
async fn what_is_not_offered_is_bad_input_and_the_workers_own_model_never_is() {
    let worker = Worker::new(u64::MAX, Some("small"), "http://127.0.0.1:1");
    for model in ["large-v3", &worker.copy("own")] {
        let refused = worker.get(model).await.err().unwrap();
        assert_eq!(refused.kind, FailureKind::BadInput, "{refused}");
        assert!(refused.to_string().contains("name one of small"), "{refused}");
    }
    put_base_into(&worker.folder.path().join("cache/models"));
    assert_eq!(worker.get("base").await.unwrap().name, "base");
}

fn put_base_into(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    std::os::unix::fs::symlink(&BASE.0, folder.join("ggml-base-q8_0.bin")).unwrap();
}
