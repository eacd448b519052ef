//! Progress for people: one line per image with the step that runs, and a total.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::{
    build_event::{BuildEvent, ImageOutcome},
    timings::{BuildRecord, ImageRecord},
};

const REDRAW: Duration = Duration::from_millis(120);

pub(in crate::build) struct Terminal {
    lines: Vec<ProgressBar>,
    total: ProgressBar,
    finished: usize,
}

impl Terminal {
    pub(super) fn new(images: &[&str]) -> Terminal {
        let all = MultiProgress::new();
        let width = images.iter().map(|name| name.len()).max().unwrap_or_default();
        let template = "{spinner} {prefix} {elapsed:>4} {wide_msg}";
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner());
        let line = |name: &str| {
            let line = all.add(ProgressBar::new_spinner().with_style(style.clone()));
            line.set_prefix(format!("{name:<width$}"));
            line.enable_steady_tick(REDRAW);
            line
        };
        let lines = images.iter().map(|name| line(name)).collect();
        let total = line("total");
        Terminal { lines, total, finished: 0 }
    }

    pub(super) fn show(&mut self, event: &BuildEvent, record: &BuildRecord) {
        if let BuildEvent::Announcement { text } = event {
            self.total.println(text);
        }
        let (BuildEvent::ImageStarted { image, .. }
        | BuildEvent::Step { image, .. }
        | BuildEvent::Progress { image, .. }
        | BuildEvent::ImageFinished { image, .. }) = event
        else {
            return;
        };
        let Some(index) = record.images.iter().position(|known| known.name == *image) else {
            return;
        };
        let line = &self.lines[index];
        match event {
            BuildEvent::ImageStarted { .. } => line.reset_elapsed(),
            BuildEvent::ImageFinished { outcome, .. } => {
                self.finished += 1;
                line.finish_with_message(ending(outcome));
            }
            _ if line.is_finished() => {}
            _ => line.set_message(running(&record.images[index])),
        }
        self.total.set_message(format!("{} of {} images", self.finished, self.lines.len()));
    }

    pub(super) fn finish(&self) {
        self.total.finish();
    }
}

fn running(image: &ImageRecord) -> String {
    let steps = image.steps.iter().filter(|step| step.is_running());
    steps.map(|step| step.name.as_str()).next_back().unwrap_or("waiting for the engine").to_owned()
}

fn ending(outcome: &ImageOutcome) -> String {
    match outcome {
        ImageOutcome::Built { .. } => "built".to_owned(),
        ImageOutcome::Unchanged { .. } => "unchanged".to_owned(),
        ImageOutcome::Failed(_) => "failed".to_owned(),
        ImageOutcome::Cancelled => "cancelled".to_owned(),
        ImageOutcome::Skipped { because } => format!("skipped: needs {because}"),
    }
}
