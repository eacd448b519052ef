//! Builds the images of a plan at the same time, as far as they do not need each other and the
//! cap allows. It shows nothing: everything it has to tell is an event.

mod solve;

use std::{cell::Cell, collections::BTreeMap, time::Duration};

use anyhow::Result;
use futures_util::future::join_all;
use tokio::{
    sync::{OnceCell, Semaphore, mpsc::UnboundedSender, watch},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::{
    base_image_fallback::BaseImageFallback,
    placement::Placement,
    plan::{Plan, PlannedImage},
    unchanged::{Decision, Memory, Observed},
};
use crate::{
    build_event::{BuildEvent, Clock, Failure, ImageOutcome},
    buildkit::{Builder, Engine, SentLog},
};

/// How long the engine may take to tell about its cache.
const GC_CHECK_TIMEOUT: Duration = Duration::from_millis(300);

/// Whether an image has been built; none while that is open.
type Completion = watch::Receiver<Option<bool>>;

/// How a build behaves when something goes wrong.
pub(crate) struct BuildOptions {
    /// Build what is left when an image fails.
    pub(crate) keep_going: bool,
    /// Solve images that are known to be unchanged, too.
    pub(crate) verify: bool,
    /// Build instead of the engine, where there are any.
    pub(crate) builders: Vec<Builder>,
    /// Cancelled by the user.
    pub(crate) interrupt: CancellationToken,
}

/// Builds the plan. Images that fail are events; only what keeps every image from being built
/// is an error.
pub(crate) async fn run(
    engine: &Engine,
    plan: &Plan,
    options: BuildOptions,
    clock: Clock,
    events: UnboundedSender<BuildEvent>,
) -> Result<()> {
    let memory = Memory::open(engine, plan)?;
    let decisions = memory.decide().await?;
    let is_solved =
        |image: &&PlannedImage| options.verify || matches!(decisions.get(&image.name), Some(Decision::Solve { .. }));
    let (solved, unchanged): (Vec<_>, Vec<_>) = plan.images.iter().partition(is_solved);
    for image in &unchanged {
        if let Some(Decision::Unchanged { digest, size }) = decisions.get(&image.name) {
            let outcome = ImageOutcome::Unchanged { digest: digest.clone(), size: *size };
            send(&events, BuildEvent::ImageFinished { image: image.name.clone(), at: clock.now(), outcome });
        }
    }
    if !solved.is_empty() {
        let sent = SentLog::default();
        let own = if options.builders.is_empty() { Some(engine.builder().await?) } else { None };
        let build = Build {
            engine,
            plan,
            clock,
            placement: Placement::open(own, options.builders, plan, &sent).await?,
            memory: &memory,
            decisions: &decisions,
            permits: Semaphore::new(plan.parallel),
            stop: options.interrupt.child_token(),
            keep_going: options.keep_going,
            sent,
            has_cache_mounts: Cell::new(false),
            base_images: OnceCell::new(),
            events: events.clone(),
        };
        build.images(&solved).await;
        // An engine that is gone has been told of, and a warning is not worth a wait.
        if build.has_cache_mounts.get()
            && let Ok(Ok(Some(message))) = timeout(GC_CHECK_TIMEOUT, build.placement.gc_warning()).await
        {
            send(&events, BuildEvent::Notice { message });
        }
    }
    if let Err(error) = memory.save() {
        send(
            &events,
            BuildEvent::Notice { message: format!("the next build will solve more than it has to: {error:#}") },
        );
    }
    Ok(())
}

/// Nobody listening any more is no reason to stop building.
fn send(events: &UnboundedSender<BuildEvent>, event: BuildEvent) {
    drop(events.send(event));
}

struct Build<'a> {
    engine: &'a Engine,
    plan: &'a Plan,
    clock: Clock,
    placement: Placement<'a>,
    memory: &'a Memory<'a>,
    decisions: &'a BTreeMap<String, Decision>,
    permits: Semaphore,
    stop: CancellationToken,
    keep_going: bool,
    sent: SentLog,
    has_cache_mounts: Cell<bool>,
    /// Set once a registry was silent.
    base_images: OnceCell<BaseImageFallback>,
    events: UnboundedSender<BuildEvent>,
}

impl Build<'_> {
    /// Solves these images at the same time, each after those of them that it needs.
    async fn images(&self, images: &[&PlannedImage]) {
        let (deciding, completions): (BTreeMap<_, _>, BTreeMap<_, _>) = images
            .iter()
            .map(|image| {
                let (sender, receiver) = watch::channel(None);
                ((image.name.as_str(), sender), (image.name.as_str(), receiver))
            })
            .unzip();
        let running = images.iter().map(|image| async {
            let needs =
                image.needs.iter().filter_map(|need| Some((need.clone(), completions.get(need.as_str())?.clone())));
            let built = self.image(image, needs.collect()).await;
            if let Some(decide) = deciding.get(image.name.as_str()) {
                decide.send_replace(Some(built.is_some()));
            }
            if let Some(observed) = built {
                self.remember(image, observed).await;
            }
        });
        join_all(running).await;
        send(&self.events, BuildEvent::ContextSent { bytes: self.sent.bytes() });
    }

    /// What was seen of its solve; none where the image has not been built.
    async fn image(&self, image: &PlannedImage, needs: Vec<(String, Completion)>) -> Option<Observed> {
        let mut built = None;
        let outcome = tokio::select! {
            biased;
            () = self.stop.cancelled() => ImageOutcome::Cancelled,
            outcome = self.when_ready(image, needs, &mut built) => outcome,
        };
        let is_failure = matches!(&outcome, ImageOutcome::Failed(_));
        let engine_lost = matches!(&outcome, ImageOutcome::Failed(failure) if failure.engine_lost);
        let finished = BuildEvent::ImageFinished { image: image.name.clone(), at: self.clock.now(), outcome };
        send(&self.events, finished);
        if engine_lost || (is_failure && !self.keep_going) {
            self.stop.cancel();
        }
        built
    }

    async fn when_ready(
        &self,
        image: &PlannedImage,
        needs: Vec<(String, Completion)>,
        built: &mut Option<Observed>,
    ) -> ImageOutcome {
        for (name, mut completion) in needs {
            let is_built = completion.wait_for(Option::is_some).await.is_ok_and(|completion| *completion == Some(true));
            if !is_built {
                return ImageOutcome::Skipped { because: name };
            }
        }
        let Ok(_permit) = self.permits.acquire().await else {
            return ImageOutcome::Cancelled;
        };
        let because = match self.decisions.get(&image.name) {
            Some(Decision::Solve { because }) => because.clone(),
            _ => "it is to be verified".to_owned(),
        };
        send(&self.events, BuildEvent::ImageStarted { image: image.name.clone(), at: self.clock.now(), because });
        match self.solve(image, built).await {
            Ok(outcome) => outcome,
            Err(error) => ImageOutcome::Failed(Failure {
                message: format!("{error:#}"),
                step: None,
                lines: None,
                engine_lost: true,
            }),
        }
    }

    async fn remember(&self, image: &PlannedImage, observed: Observed) {
        if let Some(Decision::Unchanged { digest, .. }) = self.decisions.get(&image.name)
            && *digest != observed.solved.digest
        {
            let message = format!(
                "`{}` was known to be unchanged, and its solve gave another image: the engine no longer had its \
                 steps, or one of them does not do the same every time",
                image.name
            );
            send(&self.events, BuildEvent::Notice { message });
        }
        if let Err(error) = self.memory.remember(image, observed).await {
            let message = format!("the next build will solve `{}` again: {error:#}", image.name);
            send(&self.events, BuildEvent::Notice { message });
        }
    }
}
