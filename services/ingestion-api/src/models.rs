//! The models that a request can name.

use api::{ApiError, Path};
use axum::http::StatusCode;
use models::catalogue::whisper_models;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// OpenAI's name for its Whisper: here it stands for the model that the workers take by default.
const DEFAULT_MODEL: &str = "whisper-1";

/// When Whisper was published, in seconds since the epoch: clients of OpenAI's API want a time here.
const PUBLISHED: u64 = 1_663_718_400;

#[derive(Debug, Clone, Serialize, ToSchema)]
struct Model {
    id: &'static str,
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
/// 404 as of OpenAI's API, with the names that there are.
pub(crate) fn model(name: &str) -> Result<Option<String>, ApiError> {
    match name {
        DEFAULT_MODEL => Ok(None),
        name if whisper_models().any(|known| known == name) => Ok(Some(name.to_owned())),
        name => {
            let known: Vec<_> = names().collect();
            let message = format!("there is no model {name:?}; name one of {}", known.join(", "));
            Err(ApiError::new(StatusCode::NOT_FOUND, api::ErrorKind::InvalidRequestError, message)
                .param("model")
                .code("model_not_found"))
        }
    }
}

fn names() -> impl Iterator<Item = &'static str> {
    [DEFAULT_MODEL].into_iter().chain(whisper_models())
}

fn described(id: &'static str) -> Model {
    Model { id, object: "model", created: PUBLISHED, owned_by: "longhand" }
}

pub(crate) fn routes() -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show))
}

/// The models that a request can name.
#[utoipa::path(get, path = "/v1/models", tag = "OpenAI", responses((status = 200, description = "All of them", body = ModelList)))]
async fn list() -> axum::Json<ModelList> {
    axum::Json(ModelList { object: "list", data: names().map(described).collect() })
}

/// One of the models.
#[utoipa::path(
    get, path = "/v1/models/{model}", tag = "OpenAI",
    params(("model" = String, Path, description = "Its name")),
    responses((status = 200, description = "It is there", body = Model)),
)]
async fn show(Path(name): Path<String>) -> Result<axum::Json<Model>, ApiError> {
    model(&name)?;
    let found = names().find(|known| *known == name);
    found.map(|id| axum::Json(described(id))).ok_or_else(|| ApiError::not_found("there is no such model"))
}
