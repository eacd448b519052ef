//! `build.prom`: the build as metrics, for a textfile collector or a push gateway.

use anyhow::Result;
use prometheus::{Encoder, GaugeVec, Opts, Registry, TextEncoder};

use super::record::{BuildRecord, StepOutcome};
use crate::build_event::ImageOutcome;

pub(super) fn open_metrics(record: &BuildRecord) -> Result<Vec<u8>> {
    let registry = Registry::new();
    let gauge = |name: &str, help: &str, labels: &[&str]| -> Result<GaugeVec> {
        let gauge = GaugeVec::new(Opts::new(name, help), labels)?;
        registry.register(Box::new(gauge.clone()))?;
        Ok(gauge)
    };
    let wall = gauge("build_wall_seconds", "Wall time of the whole build.", &["project"])?;
    let sent = gauge("build_context_sent_bytes", "Bytes sent to the engine.", &["project"])?;
    let image_wall = gauge("build_image_wall_seconds", "Wall time of an image.", &["project", "image"])?;
    let waiting =
        gauge("build_image_waiting_seconds", "Time in which no step of an image ran.", &["project", "image"])?;
    let size = gauge("build_image_size_bytes", "Size of an image in the engine.", &["project", "image"])?;
    let built = gauge("build_image_built", "1 where the engine has the image.", &["project", "image"])?;
    let steps = gauge("build_image_steps", "Dockerfile steps by outcome.", &["project", "image", "outcome"])?;

    let project = record.project.as_str();
    wall.with_label_values(&[project]).set(record.wall.seconds());
    sent.with_label_values(&[project]).set(record.context_sent as f64);
    for image in &record.images {
        let labels = [project, image.name.as_str()];
        image_wall.with_label_values(&labels).set(image.wall().as_secs_f64());
        waiting.with_label_values(&labels).set(image.waiting().as_secs_f64());
        let loaded = image.outcome.as_ref().and_then(ImageOutcome::image);
        built.with_label_values(&labels).set(f64::from(u8::from(loaded.is_some())));
        if let Some((_, bytes)) = loaded {
            size.with_label_values(&labels).set(bytes as f64);
        }
        for (name, outcome) in
            [("ran", StepOutcome::Ran), ("cached", StepOutcome::Cached), ("shared", StepOutcome::Shared)]
        {
            let count = image.instructions(outcome);
            steps.with_label_values(&[project, &image.name, name]).set(count as f64);
        }
    }
    let mut text = Vec::new();
    TextEncoder::new().encode(&registry.gather(), &mut text)?;
    // What OpenMetrics asks for beyond the older text format.
    text.extend_from_slice(b"# EOF\n");
    Ok(text)
}
