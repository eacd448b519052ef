//! The `Idempotency-Key` header: a second request with the same key means the same job.

use api::{ApiError, Client};
use axum::{
    Extension,
    extract::FromRequestParts,
    http::{HeaderName, request::Parts},
};
use engine::ids::JobId;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

const LONGEST: usize = 255;

/// The job that the request's key stands for, if it has one.
pub(crate) struct JobOfKey(pub(crate) Option<JobId>);

impl<S: Send + Sync> FromRequestParts<S> for JobOfKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Some(key) = parts.headers.get(IDEMPOTENCY_KEY) else { return Ok(Self(None)) };
        let fits = |key: &&str| (1..=LONGEST).contains(&key.len());
        let Some(key) = key.to_str().ok().filter(fits).map(str::to_owned) else {
            let message = format!("an Idempotency-Key has 1 to {LONGEST} printable ASCII characters");
            return Err(ApiError::invalid(message).param("Idempotency-Key"));
        };
        let client = Extension::<Client>::from_request_parts(parts, state).await.map_err(ApiError::internal)?;
        Ok(Self(Some(JobId::of_key(client.owner(), &key))))
    }
}
