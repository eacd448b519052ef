//! The fields of OpenAI's forms.

use api::ApiError;
use engine::job::SpeechOptions;

use super::answer::{Answer, ResponseFormat, Whole};
use crate::{
    asked::{Shape, Speech, Task, flag, named},
    form::Form,
};

pub(super) const TRANSCRIPTION_FIELDS: [&str; 9] = [
    "model",
    "language",
    "prompt",
    "response_format",
    "temperature",
    "timestamp_granularities[]",
    "stream",
    // Recordings are always cut where nobody speaks, which is what its value `auto` asks for.
    "chunking_strategy",
    "timestamp_granularities",
];

pub(super) const TRANSLATION_FIELDS: [&str; 4] = ["model", "prompt", "response_format", "temperature"];

/// What a form asks for.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) speech: SpeechOptions,
    pub(super) answer: Answer,
}

/// Which times `verbose_json` tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Granularity {
    Word,
    Segment,
}

const GRANULARITIES: &str = "timestamp_granularities[]";

impl Options {
    pub(super) fn of_transcription(form: &mut Form) -> Result<Self, ApiError> {
        let granularities = granularities(form)?;
        let words = granularities.contains(&Granularity::Word);
        let speech = Speech {
            model: form.take("model"),
            language: form.take("language"),
            task: Task::Transcribe,
            prompt: form.take("prompt"),
            words,
        };
        let format = format(form)?;
        if !granularities.is_empty() && format != ResponseFormat::VerboseJson {
            let message = "timestamp_granularities are told in verbose_json alone; set response_format to it";
            return Err(ApiError::invalid(message).param(GRANULARITIES));
        }
        let answer = if flag(form, "stream")? {
            match format {
                ResponseFormat::Json | ResponseFormat::Text => Answer::Live,
                _ => {
                    return Err(
                        ApiError::invalid("streams are told in json; leave response_format out").param("stream")
                    );
                }
            }
        } else {
            Answer::Whole(Whole { format, segments: !words || granularities.contains(&Granularity::Segment) })
        };
        Ok(Self { speech: speech.resolve(Shape::Form)?, answer })
    }

    pub(super) fn of_translation(form: &mut Form) -> Result<Self, ApiError> {
        let speech = Speech {
            model: form.take("model"),
            task: Task::Translate,
            prompt: form.take("prompt"),
            ..Speech::default()
        };
        let answer = Answer::Whole(Whole { format: format(form)?, segments: true });
        Ok(Self { speech: speech.resolve(Shape::Form)?, answer })
    }
}

/// The format, and the temperature, which is checked and has no effect.
fn format(form: &mut Form) -> Result<ResponseFormat, ApiError> {
    if let Some(temperature) = form.take("temperature")
        && !temperature.parse::<f32>().is_ok_and(|temperature| (0.0..=1.0).contains(&temperature))
    {
        return Err(ApiError::invalid("temperature is a number from 0 to 1").param("temperature"));
    }
    let format = form.take("response_format").map(|format| named(&format, "response_format")).transpose()?;
    Ok(format.unwrap_or(ResponseFormat::Json))
}

fn granularities(form: &mut Form) -> Result<Vec<Granularity>, ApiError> {
    let values = form.take_all(GRANULARITIES).into_iter().chain(form.take("timestamp_granularities"));
    values.map(|value| named(&value, GRANULARITIES)).collect()
}
