//! The models that a request can name.

use api::{ApiError, Path};
use axum::{extract::State, http::StatusCode};
use models::{AllowedModels, catalogue::whisper_models};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app_state::AppState;

/// OpenAI's name for its Whisper: here it stands for the model that the workers take by default.
const DEFAULT_MODEL: &str = "whisper-1";

/// When Whisper was published, in seconds since the epoch: clients of OpenAI's API want a time here.
const PUBLISHED: u64 = 1_663_718_400;

#[derive(Debug, Clone, Serialize, ToSchema)]
struct Model {
    id: String,
    /// Always `model`.
    object: &'static str,
    /// Seconds since the epoch.
    created: u64,
    owned_by: &'static str,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
struct ModelList {
    /// Always `list`.
    object: &'static str,
    data: Vec<Model>,
}

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
            Err(ApiError::new(StatusCode::NOT_FOUND, api::ErrorKind::InvalidRequestError, message)
                .param("model")
                .code("model_not_found"))
        }
    }
}

fn names(allowed: &AllowedModels) -> Vec<&str> {
    [DEFAULT_MODEL].into_iter().chain(allowed.names()).collect()
}

fn described(id: &str) -> Model {
    let id = id.to_owned();
    Model { id, object: "model", created: PUBLISHED, owned_by: "longhand" }
}

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show))
}

/// The models that a request can name: those of `LONGHAND_MODELS`, where that is set.
#[utoipa::path(get, path = "/v1/models", tag = "OpenAI", responses((status = 200, description = "All of them", body = ModelList)))]
async fn list(State(state): State<AppState>) -> axum::Json<ModelList> {
    let data = names(&state.models).into_iter().map(described).collect();
    axum::Json(ModelList { object: "list", data })
}

/// One of the models.
#[utoipa::path(
    get, path = "/v1/models/{model}", tag = "OpenAI",
    params(("model" = String, Path, description = "Its name")),
    responses((status = 200, description = "It is there", body = Model)),
)]
async fn show(State(state): State<AppState>, Path(name): Path<String>) -> Result<axum::Json<Model>, ApiError> {
    model(&name, &state.models)?;
    Ok(axum::Json(described(&name)))
}
