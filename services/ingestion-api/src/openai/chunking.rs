//! OpenAI's `chunking_strategy`. Recordings are always cut where nobody speaks, so there is nothing to choose: what it
//! says is checked, and what would tune it is told to have no effect.

use api::{ApiError, ErrorKind, parse_json};
use axum::http::StatusCode;
use serde::Deserialize;

use crate::form::Form;

const FIELD: &str = "chunking_strategy";

/// The fields of forms: JSON, or the object's fields one by one, as OpenAI's clients write them.
pub(super) const TYPE: &str = "chunking_strategy[type]";
pub(super) const PREFIX_PADDING: &str = "chunking_strategy[prefix_padding_ms]";
pub(super) const SILENCE_DURATION: &str = "chunking_strategy[silence_duration_ms]";
pub(super) const THRESHOLD: &str = "chunking_strategy[threshold]";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ServerVad {
    #[serde(rename = "type")]
    kind: Kind,
    prefix_padding_ms: Option<u32>,
    silence_duration_ms: Option<u32>,
    threshold: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    ServerVad,
}

/// Takes it out of the form, and gives the parts of it that have no effect.
///
/// # Errors
/// 400 for what is no strategy of that API.
pub(super) fn take(form: &mut Form) -> Result<Vec<String>, ApiError> {
    let written = form.take(FIELD).filter(|written| written != "auto");
    let strategy = match written {
        Some(json) => Some(json),
        None => in_fields(form)?,
    };
    let Some(strategy) = strategy else { return Ok(Vec::new()) };
    let vad: ServerVad = parse_json(strategy.as_bytes()).map_err(|_| refused())?;
    let Kind::ServerVad = vad.kind;
    if vad.threshold.is_some_and(|threshold| !(0.0..=1.0).contains(&threshold)) {
        return Err(refused());
    }
    let parts = [
        ("prefix_padding_ms", vad.prefix_padding_ms.is_some()),
        ("silence_duration_ms", vad.silence_duration_ms.is_some()),
        ("threshold", vad.threshold.is_some()),
    ];
    let given = parts.into_iter().filter(|(_, is_given)| *is_given);
    Ok(given.map(|(part, _)| format!("{FIELD}.{part}")).collect())
}

/// The object out of fields of its own, as JSON.
fn in_fields(form: &mut Form) -> Result<Option<String>, ApiError> {
    let mut parts = Vec::new();
    for (field, name) in
        [(PREFIX_PADDING, "prefix_padding_ms"), (SILENCE_DURATION, "silence_duration_ms"), (THRESHOLD, "threshold")]
    {
        if let Some(number) = form.take(field) {
            let number: serde_json::Number = number.parse().map_err(|_| refused())?;
            parts.push(format!("\"{name}\":{number}"));
        }
    }
    match form.take(TYPE) {
        Some(kind) => {
            parts.push(format!("\"type\":{}", serde_json::Value::from(kind)));
            Ok(Some(format!("{{{}}}", parts.join(","))))
        }
        None if parts.is_empty() => Ok(None),
        None => Err(refused()),
    }
}

fn refused() -> ApiError {
    let message = "chunking_strategy is auto, or an object with the type server_vad and, if you like, threshold (0 to \
                   1), prefix_padding_ms and silence_duration_ms";
    ApiError::new(StatusCode::BAD_REQUEST, ErrorKind::InvalidRequestError, message).param(FIELD)
}
