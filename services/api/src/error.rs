//! The one error that every service answers with, in the shape of OpenAI's API.

use std::{fmt::Display, time::Duration};

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use engine::{events::WatchError, store::StoreError, temporal::client::ClientError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::scope::Scope;

/// When to try again where a dependency is unavailable.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// The body of every answer that is an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ErrorBody {
    pub error: ErrorDetail,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ErrorDetail {
    /// What happened, to what, and what to do next.
    pub message: String,
    #[serde(rename = "type")]
    pub kind: ErrorKind,
    /// The field that is wrong.
    #[schema(required)]
    pub param: Option<String>,
    /// For programs, where the type alone does not tell enough.
    #[schema(required)]
    pub code: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    InvalidRequestError,
    AuthenticationError,
    PermissionError,
    NotFound,
    RateLimitError,
    /// Something that the service needs is unavailable; trying again later is right.
    Unavailable,
    ServerError,
}

/// An error on its way to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    status: StatusCode,
    detail: ErrorDetail,
    retry_after: Option<Duration>,
}

impl ApiError {
    pub fn new(status: StatusCode, kind: ErrorKind, message: impl Into<String>) -> Self {
        let detail = ErrorDetail { message: message.into(), kind, param: None, code: None };
        Self { status, detail, retry_after: None }
    }

    /// A request that can never work: 400.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ErrorKind::InvalidRequestError, message)
    }

    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, ErrorKind::NotFound, message)
    }

    /// The body is larger than is taken: 413.
    pub fn too_large(message: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, ErrorKind::InvalidRequestError, message)
    }

    /// Something that the service needs is unavailable for a while: 503.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, ErrorKind::Unavailable, message).retry_after(RETRY_AFTER)
    }

    /// The cause is logged; the client learns only that something failed.
    pub fn internal(cause: impl Display) -> Self {
        tracing::error!(error = %cause, "a request failed");
        let message = "something went wrong in the service; its log has the reason under this request's id";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, ErrorKind::ServerError, message)
    }

    /// Names the field that is wrong.
    pub fn param(mut self, name: impl Into<String>) -> Self {
        self.detail.param = Some(name.into());
        self
    }

    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.detail.code = Some(code.into());
        self
    }

    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The field that is wrong, where one is.
    pub fn param_named(&self) -> Option<String> {
        self.detail.param.clone()
    }

    /// The body, for an answer that has begun already and can only be ended with it.
    pub fn body(self, scope: &Scope) -> ErrorBody {
        ErrorBody { error: self.detail }.told(scope)
    }
}

impl ErrorBody {
    fn told(mut self, scope: &Scope) -> Self {
        self.error.message = scope.told(&self.error.message);
        self
    }
}

/// Tells the error in a response, where it is one, with the names that the client knows.
pub(crate) fn tell(response: &mut Response, scope: &Scope) {
    if let Some(body) = response.extensions_mut().remove::<ErrorBody>() {
        *response.body_mut() = Json(body.told(scope)).into_response().into_body();
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let retry_after = self.retry_after.map(|wait| wait.as_millis().div_ceil(1000).max(1));
        let body = ErrorBody { error: self.detail };
        let mut response = (self.status, Json(&body)).into_response();
        // Whoever knows the client tells it once more, with the client's names.
        response.extensions_mut().insert(body);
        let headers = response.headers_mut();
        if let Some(seconds) = retry_after.and_then(|seconds| HeaderValue::from_str(&seconds.to_string()).ok()) {
            headers.insert(header::RETRY_AFTER, seconds);
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<ClientError> for ApiError {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::NotFound { id } => Self::not_found(format!("there is no job {id}")),
            ClientError::TooLong { .. } => Self::invalid(error.to_string()),
            ClientError::BeingPurged { .. } => {
                let refused = Self::new(StatusCode::CONFLICT, ErrorKind::InvalidRequestError, error.to_string());
                refused.code("being_deleted").retry_after(RETRY_AFTER)
            }
            ClientError::NoRecording { .. } => Self::not_found(error.to_string()).code("no_recording"),
            ClientError::Unreachable { .. } | ClientError::Silent(_) => {
                tracing::warn!(%error, "Temporal is away");
                Self::unavailable("Temporal does not answer; accepted jobs go on by themselves, try again later")
            }
            ClientError::Settings(_) | ClientError::Refused(_) => Self::internal(error),
        }
    }
}

impl From<WatchError> for ApiError {
    fn from(error: WatchError) -> Self {
        match error {
            WatchError::Client(error) => error.into(),
            WatchError::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound { key } => Self::not_found(format!("the store has no object {key}")),
            StoreError::Full { .. } | StoreError::Temporary { .. } => {
                tracing::error!(%error, "the store takes nothing in");
                let message = "the store has no space left; try again when its operator has made some";
                Self::new(StatusCode::INSUFFICIENT_STORAGE, ErrorKind::ServerError, message)
            }
            StoreError::Failed { .. } => {
                tracing::warn!(%error, "the store fails");
                Self::unavailable("the store does not answer; try again later")
            }
            StoreError::Open { .. } | StoreError::Corrupt { .. } => Self::internal(error),
        }
    }
}
