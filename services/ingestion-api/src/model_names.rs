//! The names of models in requests, and what they stand for.

use api::{ApiError, ErrorKind};
use axum::http::StatusCode;
use models::{AllowedModels, catalogue::whisper_models};

/// OpenAI's name for its Whisper: here it stands for the model that the workers take by default.
const DEFAULT_MODEL: &str = "whisper-1";

/// The model that a name stands for; `None` is the workers' default. Paths, which the command line takes, are refused:
/// over HTTP nobody names files of the workers.
///
/// # Errors
/// 404 as of OpenAI's API, or 400 where the settings do not offer it, with the names that there are.
pub(crate) fn model(name: &str, allowed: &AllowedModels) -> Result<Option<String>, ApiError> {
    match name {
        DEFAULT_MODEL => Ok(None),
        name if allowed.contains(name) => Ok(Some(name.to_owned())),
        name if whisper_models().any(|known| known == name) => {
            Err(ApiError::invalid(allowed.refusal(name).to_string()).param("model").code("model_not_allowed"))
        }
        name => {
            let message = format!("there is no model {name:?}; name one of {}", names(allowed).join(", "));
            Err(ApiError::new(StatusCode::NOT_FOUND, ErrorKind::InvalidRequestError, message)
                .param("model")
                .code("model_not_found"))
        }
    }
}

/// All that can be named.
pub(crate) fn names(allowed: &AllowedModels) -> Vec<&str> {
    [DEFAULT_MODEL].into_iter().chain(allowed.names()).collect()
}
