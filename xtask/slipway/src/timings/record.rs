//! The record of a build, grown event by event.

mod image;
mod shared;
mod step;

use std::time::SystemTime;

use crate::build_event::{BuildEvent, Moment};
pub(crate) use image::ImageRecord;
pub(crate) use step::{StepOutcome, StepRecord};

#[derive(Debug)]
pub(crate) struct BuildRecord {
    pub(crate) project: String,
    pub(crate) engine: String,
    pub(crate) began: SystemTime,
    pub(crate) wall: Moment,
    /// Bytes that went to the engine over the sessions.
    pub(crate) context_sent: u64,
    pub(crate) images: Vec<ImageRecord>,
    pub(crate) notices: Vec<String>,
}

impl BuildRecord {
    pub(crate) fn new<'a>(
        project: &str,
        engine: &str,
        began: SystemTime,
        images: impl Iterator<Item = &'a str>,
    ) -> BuildRecord {
        let images = images.map(ImageRecord::new).collect();
        let (project, engine) = (project.to_owned(), engine.to_owned());
        BuildRecord { project, engine, began, wall: Moment::default(), context_sent: 0, images, notices: Vec::new() }
    }

    pub(crate) fn apply(&mut self, event: &BuildEvent) {
        match event {
            BuildEvent::Announcement { .. } => {}
            BuildEvent::Notice { message } => self.notices.push(message.clone()),
            BuildEvent::ContextSent { bytes } => self.context_sent = *bytes,
            BuildEvent::ImageStarted { image, at, because } => self.with_image(image, |record| {
                record.started = Some(*at);
                record.because.clone_from(because);
            }),
            BuildEvent::ImagePlaced { image, builder } => {
                self.with_image(image, |record| record.builder.clone_from(builder));
            }
            BuildEvent::ImageRestarted { image } => self.with_image(image, |record| record.steps.clear()),
            BuildEvent::ImageFinished { image, at, outcome } => self.with_image(image, |record| {
                record.finished = Some(*at);
                record.outcome = Some(outcome.clone());
            }),
            BuildEvent::Step { image, step } => self.with_image(image, |record| record.update(step)),
            BuildEvent::Log { image, step, text, .. } => {
                self.with_step(image, step, |record| record.append(text));
            }
            BuildEvent::Progress { image, step, name, current, .. } => {
                self.with_step(image, step, |record| record.transferred(name, *current));
            }
            BuildEvent::Warning { image, message, file, line, .. } => self.with_image(image, |record| {
                let warning = format!("{file}:{line}: {message}");
                if !record.warnings.contains(&warning) {
                    record.warnings.push(warning);
                }
            }),
        }
    }

    /// Ends the record: only now is it known which steps were shared.
    pub(crate) fn finish(&mut self, wall: Moment) {
        self.wall = wall;
        shared::decide(&mut self.images);
    }

    pub(crate) fn image(&self, name: &str) -> Option<&ImageRecord> {
        self.images.iter().find(|image| image.name == name)
    }

    fn with_image(&mut self, name: &str, change: impl FnOnce(&mut ImageRecord)) {
        if let Some(image) = self.images.iter_mut().find(|image| image.name == name) {
            change(image);
        }
    }

    fn with_step(&mut self, image: &str, digest: &str, change: impl FnOnce(&mut StepRecord)) {
        self.with_image(image, |image| {
            if let Some(step) = image.steps.iter_mut().find(|step| step.digest == digest) {
                change(step);
            }
        });
    }
}
