//! Progress for logs: a line where a step begins and ends, its output in between, each line with
//! the image that it belongs to.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
};

use crate::{
    build_event::{BuildEvent, ImageOutcome, StepUpdate},
    timings::BuildRecord,
};

pub(in crate::build) struct Plain {
    width: usize,
    /// Names of steps of which the beginning and the end have been told, by image.
    begun: BTreeSet<(String, String)>,
    ended: BTreeSet<(String, String)>,
    open_lines: BTreeMap<(String, String), String>,
    /// The image under which a step's output is shown, by builder and step: images that share it all hear it.
    tellers: BTreeMap<(String, String), String>,
}

impl Plain {
    pub(super) fn new(images: &[&str]) -> Plain {
        let width = images.iter().map(|name| name.len()).max().unwrap_or_default();
        Plain {
            width,
            begun: BTreeSet::new(),
            ended: BTreeSet::new(),
            open_lines: BTreeMap::new(),
            tellers: BTreeMap::new(),
        }
    }

    pub(super) fn show(&mut self, event: &BuildEvent, record: &BuildRecord) -> io::Result<()> {
        match event {
            BuildEvent::Step { image, step } => self.step(image, step, record),
            BuildEvent::Log { image, step, text, .. } => self.log(image, step, text, record),
            BuildEvent::Warning { image, message, file, line, .. } => {
                self.line(image, &format!("warning: {file}:{line}: {message}"))
            }
            BuildEvent::ImageFinished { image, at, outcome } => {
                // Others may go on with what it shared with them; of what it was built with they only repeat it.
                if outcome.image().is_none() {
                    self.tellers.retain(|_, teller| teller != image);
                }
                let wall = record.image(image).map_or(0.0, |image| image.wall().as_secs_f64());
                self.line(
                    image,
                    &match outcome {
                        ImageOutcome::Built { .. } => format!("built in {wall:.2} s"),
                        ImageOutcome::Unchanged { .. } => "unchanged".to_owned(),
                        ImageOutcome::Failed(_) => format!("failed after {wall:.2} s"),
                        ImageOutcome::Cancelled => format!("cancelled at {:.2} s", at.seconds()),
                        ImageOutcome::Skipped { because } => format!("skipped: needs {because}"),
                    },
                )
            }
            BuildEvent::Announcement { text } => writeln!(io::stderr().lock(), "{text}"),
            BuildEvent::ImagePlaced { image, builder } => self.line(image, &format!("built at {builder}")),
            BuildEvent::ImageStarted { .. }
            | BuildEvent::ImageRestarted { .. }
            | BuildEvent::Progress { .. }
            | BuildEvent::Notice { .. }
            | BuildEvent::ContextSent { .. } => Ok(()),
        }
    }

    fn step(&mut self, image: &str, step: &StepUpdate, record: &BuildRecord) -> io::Result<()> {
        if step.name.starts_with("[internal]") && step.error.is_none() {
            return Ok(());
        }
        // The engine may meet one instruction under two digests.
        let key = (image.to_owned(), step.name.clone());
        if step.cached && !self.begun.contains(&key) && self.ended.insert(key.clone()) {
            return self.line(image, &format!("{}: cached", one_line(&step.name)));
        }
        if step.started.is_some() && !step.cached && self.begun.insert(key.clone()) {
            self.line(image, &one_line(&step.name))?;
        }
        if step.completed.is_some() && !step.cached && self.ended.insert(key) {
            let step_record = record.image(image).and_then(|image| image.step(&step.digest));
            let took = step_record.map_or(0.0, |step| step.duration().as_secs_f64());
            let end = if step.error.is_some() { "failed" } else { "done" };
            self.line(image, &format!("{}: {end} in {took:.2} s", one_line(&step.name)))?;
        }
        Ok(())
    }

    fn log(&mut self, image: &str, step: &str, text: &str, record: &BuildRecord) -> io::Result<()> {
        let builder = record.image(image).map(|image| image.builder.clone()).unwrap_or_default();
        let at_builder = (builder, step.to_owned());
        if self.tellers.entry(at_builder).or_insert_with(|| image.to_owned()) != image {
            return Ok(());
        }
        let key = (image.to_owned(), step.to_owned());
        let mut open = self.open_lines.remove(&key).unwrap_or_default();
        open.push_str(text);
        while let Some(end) = open.find('\n') {
            let line: String = open.drain(..=end).collect();
            self.line(image, &format!("  {}", line.trim_end()))?;
        }
        if !open.is_empty() {
            self.open_lines.insert(key, open);
        }
        Ok(())
    }

    fn line(&self, image: &str, text: &str) -> io::Result<()> {
        writeln!(io::stderr().lock(), "{image:<width$} | {text}", width = self.width)
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
