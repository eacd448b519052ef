//! Base images made on this machine, in the middle of a build, because no registry answers.

use super::plan::Plan;
use crate::{
    build_event::{Clock, Moment, StepUpdate},
    buildkit::Engine,
};

pub(super) struct BaseImageFallback {
    started: Moment,
    completed: Moment,
    /// Why some are lacking that could not be made here; else empty.
    lacking: String,
}

impl BaseImageFallback {
    /// Makes the base images of all images at once.
    pub(super) async fn make(engine: &Engine, plan: &Plan, clock: Clock, notice: impl Fn(String)) -> BaseImageFallback {
        let started = clock.now();
        let builds = plan.images.iter().map(|image| (image.name.as_str(), &image.build));
        let lacking = match crate::bases::make_where_no_registry_answers(engine, builds, &notice).await {
            Ok(lacking) => lacking.join("\n"),
            Err(error) => format!("{error:#}"),
        };
        BaseImageFallback { started, completed: clock.now(), lacking }
    }

    pub(super) fn lacking(&self) -> &str {
        &self.lacking
    }

    /// The making, as a step of an image that waited for it.
    pub(super) fn step(&self) -> StepUpdate {
        StepUpdate {
            digest: "bases".to_owned(),
            name: "[internal] make base images".to_owned(),
            inputs: Vec::new(),
            cached: false,
            started: Some(self.started),
            completed: Some(self.completed),
            error: None,
        }
    }
}
