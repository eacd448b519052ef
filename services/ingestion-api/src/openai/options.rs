//! The fields of OpenAI's forms.

use api::ApiError;
use engine::job::{AUTO, SpeechOptions, SpeechTask};
use models::AllowedModels;
use serde::Deserialize;

use super::response::{ResponseFormat, ResponseMode, WholeResponse};
use crate::{
    form::{Form, parse_choice},
    job_options::{BodyFormat, checked_speech},
};

const GRANULARITIES: &str = "timestamp_granularities[]";

/// The fields of the task's form besides the file.
pub(super) fn fields(task: SpeechTask) -> &'static [&'static str] {
    match task {
        SpeechTask::Transcribe => &[
            "model",
            "language",
            "prompt",
            "response_format",
            "temperature",
            GRANULARITIES,
            "stream",
            // Recordings are always cut where nobody speaks, which is what its value `auto` asks for.
            "chunking_strategy",
            "timestamp_granularities",
        ],
        SpeechTask::Translate => &["model", "prompt", "response_format", "temperature"],
    }
}

/// What a form asks for.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) speech: SpeechOptions,
    pub(super) mode: ResponseMode,
}

/// Which times `verbose_json` has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Granularity {
    Word,
    Segment,
}

impl Options {
    /// Fields that the task's form has not are absent from the form, and so have their defaults.
    pub(super) fn from_form(form: &mut Form, task: SpeechTask, models: &AllowedModels) -> Result<Self, ApiError> {
        check_temperature(form)?;
        let granularities = granularities(form)?;
        let words = granularities.contains(&Granularity::Word);
        let speech = SpeechOptions {
            model: form.take("model"),
            language: form.take("language").unwrap_or_else(|| AUTO.to_owned()),
            task,
            prompt: form.take("prompt"),
            words,
            ..SpeechOptions::default()
        };
        let format = form.choice("response_format")?.unwrap_or(ResponseFormat::Json);
        if !granularities.is_empty() && format != ResponseFormat::VerboseJson {
            let message = "timestamp_granularities are told in verbose_json alone; set response_format to it";
            return Err(ApiError::invalid(message).param(GRANULARITIES));
        }
        let mode = if form.flag("stream")? {
            check_streamable(format)?;
            ResponseMode::Stream
        } else {
            let segments = !words || granularities.contains(&Granularity::Segment);
            ResponseMode::Whole(WholeResponse { format, segments })
        };
        Ok(Self { speech: checked_speech(speech, BodyFormat::Form, models)?, mode })
    }
}

/// The temperature has no effect.
fn check_temperature(form: &mut Form) -> Result<(), ApiError> {
    match form.take("temperature").map(|temperature| temperature.parse::<f32>()) {
        None => Ok(()),
        Some(Ok(temperature)) if (0.0..=1.0).contains(&temperature) => Ok(()),
        Some(_) => Err(ApiError::invalid("temperature is a number from 0 to 1").param("temperature")),
    }
}

fn check_streamable(format: ResponseFormat) -> Result<(), ApiError> {
    match format {
        ResponseFormat::Json | ResponseFormat::Text => Ok(()),
        _ => Err(ApiError::invalid("streams are told in json; leave response_format out").param("stream")),
    }
}

fn granularities(form: &mut Form) -> Result<Vec<Granularity>, ApiError> {
    let values = form.take_all(GRANULARITIES).into_iter().chain(form.take("timestamp_granularities"));
    values.map(|value| parse_choice(&value, GRANULARITIES)).collect()
}
