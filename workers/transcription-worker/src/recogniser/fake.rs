//! A recogniser for tests of what hands work out to sessions. It decodes until it is told to stop, and hears nobody.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
    mpsc,
};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{
    Recogniser, RecogniserError, check_cancelled,
    decoder::{self, Attempt, Context, Pass},
};

pub(crate) const MAX_BATCH: usize = 4;

/// How a decoding ends.
pub(crate) enum End {
    Well,
    Panic,
}

/// The other side of the fake: what a test sees of it, and tells it.
pub(crate) struct Control {
    /// The numbers of windows of decodings that have begun.
    pub(crate) begun: UnboundedReceiver<usize>,
    pub(crate) ends: mpsc::Sender<End>,
    shared: Arc<Shared>,
}

struct Shared {
    begun: UnboundedSender<usize>,
    ends: Mutex<mpsc::Receiver<End>>,
    is_memory_short: AtomicBool,
    /// Every decoder holds a clone.
    decoders: Arc<()>,
}

impl Recogniser {
    pub(crate) fn fake() -> (Self, Control) {
        let (begun, begun_receiver) = unbounded_channel();
        let (ends_sender, ends) = mpsc::channel();
        let is_memory_short = AtomicBool::new(false);
        let shared = Arc::new(Shared { begun, ends: Mutex::new(ends), is_memory_short, decoders: Arc::default() });
        let control = Control { begun: begun_receiver, ends: ends_sender, shared: Arc::clone(&shared) };
        (Self { weights: Arc::new(Weights(shared)), threads: 1 }, control)
    }
}

impl Control {
    /// Sessions that are in memory.
    pub(crate) fn sessions(&self) -> usize {
        Arc::strong_count(&self.shared.decoders) - 1
    }

    /// No further session can be made.
    pub(crate) fn run_out_of_memory(&self) {
        self.shared.is_memory_short.store(true, Ordering::Relaxed);
    }
}

struct Weights(Arc<Shared>);

impl decoder::Weights for Weights {
    fn program(&self) -> String {
        "fake".to_owned()
    }

    fn is_multilingual(&self) -> bool {
        true
    }

    fn knows_language(&self, _: &str) -> bool {
        true
    }

    fn max_batch(&self) -> usize {
        MAX_BATCH
    }

    fn takes_any_threads(&self) -> bool {
        false
    }

    fn gives_token_times(&self) -> bool {
        false
    }

    fn audio_ctx(&self, _: Context, samples: usize) -> usize {
        samples
    }

    fn decoder(&self, _: bool) -> Result<Box<dyn decoder::Decoder>, RecogniserError> {
        if self.0.is_memory_short.load(Ordering::Relaxed) {
            return Err(RecogniserError::Failed { doing: "making room", reason: "memory is short".to_owned() });
        }
        Ok(Box::new(Decoder { shared: Arc::clone(&self.0), _counted: Arc::clone(&self.0.decoders) }))
    }
}

struct Decoder {
    shared: Arc<Shared>,
    _counted: Arc<()>,
}

impl Decoder {
    fn work(&self, windows: usize, cancel: &AtomicBool) -> Result<(), RecogniserError> {
        // Fails where the test has ended, and does not look any more.
        let _ = self.shared.begun.send(windows);
        loop {
            check_cancelled(cancel)?;
            let end = self.shared.ends.lock().unwrap_or_else(PoisonError::into_inner).try_recv();
            match end {
                Ok(End::Panic) => panic!("as the test wants it"),
                Err(mpsc::TryRecvError::Empty) => std::thread::yield_now(),
                Ok(End::Well) | Err(mpsc::TryRecvError::Disconnected) => return Ok(()),
            }
        }
    }
}

impl decoder::Decoder for Decoder {
    fn gives_token_times(&self) -> bool {
        false
    }

    fn set_threads(&mut self, _: usize) {}

    fn tokenise(&self, _: &str) -> Result<Vec<u32>, RecogniserError> {
        Ok(Vec::new())
    }

    fn decode(
        &mut self,
        windows: &[&[f32]],
        _: &Attempt<'_>,
        cancel: &AtomicBool,
    ) -> Result<Vec<Pass>, RecogniserError> {
        self.work(windows.len(), cancel)?;
        Ok(windows.iter().map(|_| Pass { tokens: Vec::new(), no_speech_prob: 1.0 }).collect())
    }

    fn languages(&mut self, _: &[f32], cancel: &AtomicBool) -> Result<Vec<(String, f32)>, RecogniserError> {
        self.work(1, cancel)?;
        Ok(vec![("de".to_owned(), 0.9), ("en".to_owned(), 0.1)])
    }
}
