//! The models that a request can name, told as OpenAI's API tells them.

use api::{ApiError, Path};
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app_state::AppState,
    model_names::{model, names},
};

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
