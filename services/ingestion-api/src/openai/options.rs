//! The fields of OpenAI's forms.

use api::ApiError;
use engine::job::{AUTO, SpeechOptions, SpeechTask};
use serde::Deserialize;

use super::{
    chunking,
    response::{ResponseFormat, ResponseMode, WholeResponse},
};
use crate::{
    form::{Fields, Form, OtherFields, parse_choice},
    job_options::{BodyFormat, checked_speech},
    model_names::ModelNames,
};

const GRANULARITIES: &str = "timestamp_granularities";
const INCLUDE: &str = "include";

/// The fields of the task's form. What other servers have besides, such as `vad_filter`, is taken and told to have no
/// effect: their clients are to work as they are.
pub(super) fn fields(task: SpeechTask) -> Fields {
    let (single, lists): (&[&str], &[&str]) = match task {
        SpeechTask::Transcribe => (
            &[
                "model",
                "language",
                "prompt",
                "response_format",
                "temperature",
                "stream",
                "chunking_strategy",
                chunking::TYPE,
                chunking::PREFIX_PADDING,
                chunking::SILENCE_DURATION,
                chunking::THRESHOLD,
            ],
            &[GRANULARITIES, INCLUDE],
        ),
        SpeechTask::Translate => (&["model", "prompt", "response_format", "temperature"], &[]),
    };
    Fields { file: "file", file_head: &[], single, lists, others: OtherFields::Ignored }
}

/// What a form asks for.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) speech: SpeechOptions,
    pub(super) mode: ResponseMode,
    /// Fields without effect.
    pub(super) ignored: Vec<String>,
}

/// Which times `verbose_json` has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Granularity {
    Word,
    Segment,
}

/// What `json` has besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Included {
    Logprobs,
}

impl Options {
    /// Fields that the task's form has not are absent from the form, and so have their defaults.
    pub(super) fn from_form(form: &mut Form, task: SpeechTask, models: &ModelNames) -> Result<Self, ApiError> {
        let mut ignored = form.take_ignored();
        ignored.extend(chunking::take(form)?);
        ignored.extend(take_temperature(form)?);
        let granularities: Vec<Granularity> = choices(form, GRANULARITIES)?;
        let logprobs = choices(form, INCLUDE)?.contains(&Included::Logprobs);
        let words = granularities.contains(&Granularity::Word);
        let speech = SpeechOptions {
            model: form.take("model"),
            language: form.take("language").unwrap_or_else(|| AUTO.to_owned()),
            task,
            prompt: form.take("prompt"),
            // Probabilities are those of words.
            words: words || logprobs,
            ..SpeechOptions::default()
        };
        let format = form.choice("response_format")?.unwrap_or(ResponseFormat::Json);
        if !granularities.is_empty() && format != ResponseFormat::VerboseJson {
            let message = "timestamp_granularities are told in verbose_json alone; set response_format to it";
            return Err(ApiError::invalid(message).param(format!("{GRANULARITIES}[]")));
        }
        if logprobs && format != ResponseFormat::Json {
            let message = "logprobs are told in json alone; leave response_format out";
            return Err(ApiError::invalid(message).param(format!("{INCLUDE}[]")));
        }
        let mode = if form.flag("stream")? {
            check_streamable(format)?;
            ResponseMode::Stream { with_logprobs: logprobs }
        } else {
            let segments = !words || granularities.contains(&Granularity::Segment);
            ResponseMode::Whole(WholeResponse { format, segments, logprobs })
        };
        Ok(Self { speech: checked_speech(speech, BodyFormat::Form, models)?, mode, ignored })
    }
}

/// Any temperature but 0 has no effect: the recogniser raises it by itself where a text fails its tests.
fn take_temperature(form: &mut Form) -> Result<Option<String>, ApiError> {
    const FIELD: &str = "temperature";
    match form.take(FIELD).map(|temperature| temperature.parse::<f32>()) {
        None => Ok(None),
        Some(Ok(temperature)) if (0.0..=1.0).contains(&temperature) => {
            Ok((temperature > 0.0).then(|| FIELD.to_owned()))
        }
        Some(_) => Err(ApiError::invalid("temperature is a number from 0 to 1").param(FIELD)),
    }
}

fn check_streamable(format: ResponseFormat) -> Result<(), ApiError> {
    match format {
        ResponseFormat::Json | ResponseFormat::Text => Ok(()),
        _ => Err(ApiError::invalid("streams are told in json; leave response_format out").param("stream")),
    }
}

/// The values of a list, of which one field can have several with commas between them.
fn choices<T: serde::de::DeserializeOwned>(form: &mut Form, list: &str) -> Result<Vec<T>, ApiError> {
    let values = form.take_all(list);
    let values = values.iter().flat_map(|value| value.split(',')).map(str::trim).filter(|value| !value.is_empty());
    values.map(|value| parse_choice(value, &format!("{list}[]"))).collect()
}
