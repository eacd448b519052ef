//! One image's solve: again, where others win a race for its name or no registry answers.

use std::{cell::RefCell, time::SystemTime};

use anyhow::Result;
use futures_util::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use super::{Build, send};
use crate::{
    build::{
        base_image_fallback::BaseImageFallback,
        plan::PlannedImage,
        request::{do_without_registries, image_folders, solve_request},
        solve_events::events_of,
        unchanged::{Observed, Sources},
    },
    build_event::{BuildEvent, ImageOutcome},
    buildkit::{SolveFailure, Solved, Status},
};

/// Several builds of one project may race for an image's name this often.
const MOST_ATTEMPTS: u32 = 5;

impl Build<'_> {
    /// `built` gets what was seen of it.
    pub(super) async fn solve(&self, image: &PlannedImage, built: &mut Option<Observed>) -> Result<ImageOutcome> {
        let started = SystemTime::now();
        let sources = RefCell::default();
        let solved = match self.solve_until_named(image, &sources).await? {
            Ok(solved) => solved,
            Err(failure) => return Ok(ImageOutcome::Failed(failure.into())),
        };
        let loaded = match image.tags.first() {
            Some(tag) if !image.push => self.engine.image(tag).await?,
            _ => None,
        };
        let digest = solved.digest.clone();
        let listings = self.sent.listings(&image_folders(image));
        *built = Some(Observed { started, solved, sources: sources.into_inner(), listings });
        Ok(ImageOutcome::Built { digest, size: loaded.map_or(0, |loaded| loaded.size) })
    }

    async fn solve_until_named(
        &self,
        image: &PlannedImage,
        sources: &RefCell<Sources>,
    ) -> Result<Result<Solved, SolveFailure>> {
        let mut attempts = 0;
        loop {
            let (slot, received) = self.placement.slot(image).await?;
            let mut request = solve_request(self.plan, image, &slot.sessions());
            if self.base_images.initialized() {
                do_without_registries(image, &mut request);
            }
            let builder = slot.address();
            if !builder.is_empty() {
                send(&self.events, BuildEvent::ImagePlaced { image: image.name.clone(), builder });
            }
            attempts += 1;
            let on_status = |status: Status| {
                for step in &status.steps {
                    sources.borrow_mut().add(&step.name, !step.inputs.is_empty());
                    self.has_cache_mounts.set(self.has_cache_mounts.get() || step.name.contains("type=cache"));
                }
                events_of(&image.name, status, self.clock).for_each(|event| send(&self.events, event));
            };
            let loading = async {
                match received {
                    Some(image) => self.engine.load(ReceiverStream::new(image).map(Ok)).await,
                    None => Ok(()),
                }
            };
            match both(slot.solver().solve(request, on_status), loading).await? {
                Err(failure) if failure.lost_race && attempts < MOST_ATTEMPTS => {}
                Err(failure) if failure.registry_unreachable && attempts == 1 && !image.build.pull => {
                    let notice = |text| send(&self.events, BuildEvent::Announcement { text });
                    let base_images = self
                        .base_images
                        .get_or_init(|| BaseImageFallback::make(self.engine, self.plan, self.clock, notice))
                        .await;
                    send(&self.events, BuildEvent::ImageRestarted { image: image.name.clone() });
                    send(&self.events, BuildEvent::Step { image: image.name.clone(), step: base_images.step() });
                }
                Err(failure) if failure.registry_unreachable => {
                    return Ok(Err(failure.because(self.base_images.get().map_or("", BaseImageFallback::lacking))));
                }
                answer => return Ok(answer),
            }
        }
    }
}

/// A solve and the loading of what it sends. A solve that fails sends nothing more, so it is not waited for; one that
/// fails because the loading did leaves the reason to it.
async fn both(
    solving: impl Future<Output = Result<Solved, SolveFailure>>,
    loading: impl Future<Output = Result<()>>,
) -> Result<Result<Solved, SolveFailure>> {
    tokio::pin!(solving, loading);
    let mut loaded = None;
    let answer = loop {
        tokio::select! {
            answer = &mut solving => break answer,
            done = &mut loading, if loaded.is_none() => loaded = Some(done),
        }
    };
    match (loaded, &answer) {
        (None, Ok(_)) => loading.await?,
        (Some(loaded), _) => loaded?,
        (None, Err(_)) => {}
    }
    Ok(answer)
}
