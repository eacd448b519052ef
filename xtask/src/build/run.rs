//! Builds the images of a plan at the same time, as far as they do not need each other and the
//! cap allows. It shows nothing: everything it has to tell is an event.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;
use futures_util::future::join_all;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{OnceCell, Semaphore, watch};
use tokio_util::sync::CancellationToken;

use super::event::{BuildEvent, Clock, Failure, ImageOutcome, StepUpdate};
use super::plan::{Plan, PlannedImage};
use super::request::{
    MAIN_CONTEXT, Sessions, context_folder, context_folders, directories, do_without_registries, named, solve_request,
};
use crate::buildkit::{ByteCounter, Engine, Offers, Session, SharedDirectory, SolveFailure, Solver, Status};

/// Several builds of one project may race for an image's name this often.
const MOST_ATTEMPTS: u32 = 5;

/// Whether an image has been built; none while that is open.
type Fate = watch::Receiver<Option<bool>>;

/// How a build behaves when something goes wrong.
pub(crate) struct Conduct {
    /// Build what is left when an image fails.
    pub(crate) keep_going: bool,
    /// Cancelled by the user.
    pub(crate) interrupt: CancellationToken,
}

/// Builds the plan. Images that fail are events; only what keeps every image from being built
/// is an error.
pub(crate) async fn run(
    engine: &Engine,
    plan: &Plan,
    conduct: &Conduct,
    clock: Clock,
    events: UnboundedSender<BuildEvent>,
) -> Result<()> {
    let bytes_sent = ByteCounter::default();
    let folders = Offers { directories: directories(plan), ..Offers::default() };
    let session = Session::open(engine, &plan.shared_key, folders, bytes_sent.clone()).await?;
    let contexts = context_sessions(engine, plan, &bytes_sent).await?;
    let (deciding, fates): (BTreeMap<_, _>, BTreeMap<_, _>) = plan
        .images
        .iter()
        .map(|image| {
            let (sender, receiver) = watch::channel(None);
            ((image.name.as_str(), sender), (image.name.as_str(), receiver))
        })
        .unzip();
    let build = Build {
        engine,
        plan,
        clock,
        solver: engine.solver().await?,
        host_gateway: engine.host_gateway().await?,
        session,
        contexts,
        slots: Semaphore::new(plan.parallel),
        stop: conduct.interrupt.child_token(),
        keep_going: conduct.keep_going,
        bytes_sent: bytes_sent.clone(),
        stand_in: OnceCell::new(),
        events: events.clone(),
    };
    let images = plan.images.iter().map(|image| async {
        let needs = image.needs.iter().filter_map(|need| Some((need.clone(), fates.get(need.as_str())?.clone())));
        let built = build.image(image, needs.collect()).await;
        if let Some(decide) = deciding.get(image.name.as_str()) {
            decide.send_replace(Some(built));
        }
    });
    join_all(images).await;
    tell(&events, BuildEvent::ContextSent { bytes: bytes_sent.total() });
    Ok(())
}

/// One session per folder, however many images are built from it.
async fn context_sessions(
    engine: &Engine,
    plan: &Plan,
    bytes_sent: &ByteCounter,
) -> Result<BTreeMap<PathBuf, Session>> {
    let mut sessions = BTreeMap::new();
    for folder in context_folders(plan) {
        let directory = SharedDirectory::Folder(folder.to_owned());
        let offers = Offers { directories: [(MAIN_CONTEXT.to_owned(), directory)].into(), ..Offers::default() };
        let shared_key = format!("{}-{}", plan.shared_key, named("context", &folder.to_string_lossy()));
        sessions.insert(folder.to_owned(), Session::open(engine, &shared_key, offers, bytes_sent.clone()).await?);
    }
    Ok(sessions)
}

/// Nobody listening any more is no reason to stop building.
fn tell(events: &UnboundedSender<BuildEvent>, event: BuildEvent) {
    drop(events.send(event));
}

struct Build<'a> {
    engine: &'a Engine,
    plan: &'a Plan,
    clock: Clock,
    solver: Solver,
    host_gateway: Option<String>,
    session: Session,
    contexts: BTreeMap<PathBuf, Session>,
    slots: Semaphore,
    stop: CancellationToken,
    keep_going: bool,
    bytes_sent: ByteCounter,
    /// Set once a registry was silent.
    stand_in: OnceCell<StandIn>,
    events: UnboundedSender<BuildEvent>,
}

/// What was done because no registry answers.
struct StandIn {
    /// The making of base images.
    step: StepUpdate,
    /// Why some are lacking that could not be made here; else empty.
    lacking: String,
}

impl Build<'_> {
    /// Whether the image has been built.
    async fn image(&self, image: &PlannedImage, needs: Vec<(String, Fate)>) -> bool {
        let outcome = tokio::select! {
            biased;
            () = self.stop.cancelled() => ImageOutcome::Cancelled,
            outcome = self.when_ready(image, needs) => outcome,
        };
        let is_failure = matches!(&outcome, ImageOutcome::Failed(_));
        let engine_lost = matches!(&outcome, ImageOutcome::Failed(failure) if failure.engine_lost);
        let built = matches!(&outcome, ImageOutcome::Built { .. });
        let finished = BuildEvent::ImageFinished { image: image.name.clone(), at: self.clock.now(), outcome };
        tell(&self.events, finished);
        if engine_lost || (is_failure && !self.keep_going) {
            self.stop.cancel();
        }
        built
    }

    async fn when_ready(&self, image: &PlannedImage, needs: Vec<(String, Fate)>) -> ImageOutcome {
        for (name, mut fate) in needs {
            let built = fate.wait_for(Option::is_some).await.is_ok_and(|fate| *fate == Some(true));
            if !built {
                return ImageOutcome::Skipped { because: name };
            }
        }
        let Ok(_slot) = self.slots.acquire().await else {
            return ImageOutcome::Cancelled;
        };
        let at = self.clock.now();
        tell(&self.events, BuildEvent::ImageStarted { image: image.name.clone(), at });
        match self.solve(image).await {
            Ok(outcome) => outcome,
            Err(error) => ImageOutcome::Failed(Failure {
                message: format!("{error:#}"),
                step: None,
                lines: None,
                engine_lost: true,
            }),
        }
    }

    async fn solve(&self, image: &PlannedImage) -> Result<ImageOutcome> {
        let own = self.own_session(image).await?;
        let context = context_folder(image).and_then(|folder| self.contexts.get(folder));
        let sessions = Sessions {
            folders: &self.session.id,
            context: context.map(|session| session.id.as_str()),
            own: own.as_ref().map_or(&self.session.id, |own| &own.id),
            host_gateway: self.host_gateway.as_deref(),
        };
        let digest = match self.solve_until_named(image, &sessions).await {
            Ok(digest) => digest,
            Err(failure) => return Ok(ImageOutcome::Failed(failure.into())),
        };
        let loaded = match image.tags.first() {
            Some(tag) if !image.push => self.engine.image(tag).await?,
            _ => None,
        };
        Ok(ImageOutcome::Built { digest, size: loaded.map_or(0, |loaded| loaded.size) })
    }

    async fn solve_until_named(&self, image: &PlannedImage, sessions: &Sessions<'_>) -> Result<String, SolveFailure> {
        let mut attempts = 0;
        loop {
            let mut request = solve_request(self.plan, image, sessions);
            if self.stand_in.initialized() {
                do_without_registries(image, &mut request);
            }
            attempts += 1;
            match self.solver.solve(request, |status| self.tell_status(&image.name, status)).await {
                Err(failure) if failure.lost_race_for_name && attempts < MOST_ATTEMPTS => {}
                Err(failure) if failure.registry_silent && attempts == 1 && !image.build.pull => {
                    let stand_in = self.stand_in.get_or_init(|| self.provide_bases()).await;
                    tell(&self.events, BuildEvent::ImageRestarted { image: image.name.clone() });
                    tell(&self.events, BuildEvent::Step { image: image.name.clone(), step: stand_in.step.clone() });
                }
                Err(failure) if failure.registry_silent => {
                    return Err(failure.because(self.stand_in.get().map_or("", |stand_in| &stand_in.lacking)));
                }
                answer => return answer,
            }
        }
    }

    /// Makes the base images of all images at once, the first time that one of them is not there.
    async fn provide_bases(&self) -> StandIn {
        let started = Some(self.clock.now());
        let builds = self.plan.images.iter().map(|image| (image.name.as_str(), &image.build));
        let notice = |text| tell(&self.events, BuildEvent::Notice { text });
        let lacking = match crate::bases::stand_in_for_registries(self.engine, builds, &notice).await {
            Ok(lacking) => lacking.join("\n"),
            Err(error) => format!("{error:#}"),
        };
        let step = StepUpdate {
            digest: "bases".to_owned(),
            name: "[internal] make base images".to_owned(),
            inputs: Vec::new(),
            cached: false,
            started,
            completed: Some(self.clock.now()),
            error: None,
        };
        StandIn { step, lacking }
    }

    /// Two images may give different secrets the same id, so those that have any get a session
    /// to themselves.
    async fn own_session(&self, image: &PlannedImage) -> Result<Option<Session>> {
        if image.build.secrets.is_empty() && image.build.ssh.is_empty() {
            return Ok(None);
        }
        let offers = Offers { secrets: image.build.secrets.clone(), ssh: image.build.ssh.clone(), ..Offers::default() };
        let session = Session::open(self.engine, &self.plan.shared_key, offers, self.bytes_sent.clone()).await?;
        Ok(Some(session))
    }

    fn tell_status(&self, image: &str, status: Status) {
        let image = || image.to_owned();
        let moment = |time| self.clock.moment(time);
        for step in status.steps {
            let step = StepUpdate {
                digest: step.digest,
                name: step.name,
                inputs: step.inputs,
                cached: step.cached,
                started: step.started.map(moment),
                completed: step.completed.map(moment),
                error: Some(step.error).filter(|error| !error.is_empty()),
            };
            tell(&self.events, BuildEvent::Step { image: image(), step });
        }
        for part in status.progress {
            let crate::buildkit::StepProgress { step, name, current, total } = part;
            tell(&self.events, BuildEvent::Progress { image: image(), step, name, current, total });
        }
        for log in status.logs {
            let at = moment(log.at);
            tell(&self.events, BuildEvent::Log { image: image(), step: log.step, at, text: log.text });
        }
        for warning in status.warnings {
            let crate::buildkit::StepWarning { message, file, line, url } = warning;
            tell(&self.events, BuildEvent::Warning { image: image(), message, file, line, url });
        }
    }
}

impl From<SolveFailure> for Failure {
    fn from(failure: SolveFailure) -> Failure {
        Failure { message: failure.message, step: failure.step, lines: failure.lines, engine_lost: failure.engine_lost }
    }
}
