//! Who asks for a job, and the `Idempotency-Key` header: a second request with the same key means the same job.

use api::{ApiError, Client, ErrorKind};
use axum::{
    Extension,
    extract::FromRequestParts,
    http::{HeaderName, StatusCode, request::Parts},
};
use engine::ids::JobId;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

const MAX_KEY_LENGTH: usize = 255;

/// The sender of a request for a job.
pub(crate) struct Caller {
    pub(crate) client: Client,
    /// The job that the request's idempotency key stands for, if it has one.
    keyed_job: Option<JobId>,
}

impl Caller {
    pub(crate) fn has_key(&self) -> bool {
        self.keyed_job.is_some()
    }

    /// The job's name: the client's own, that of its idempotency key, or a new one.
    ///
    /// # Errors
    /// 400 where the client gave both.
    pub(crate) fn job_id(&self, named: Option<JobId>) -> Result<JobId, ApiError> {
        match (named, &self.keyed_job) {
            (Some(_), Some(_)) => {
                Err(ApiError::invalid("send the field id or the header Idempotency-Key, not both").param("id"))
            }
            (Some(id), None) => Ok(id),
            (None, keyed) => Ok(keyed.clone().unwrap_or_else(JobId::new)),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let client = Extension::<Client>::from_request_parts(parts, state).await.map_err(ApiError::internal)?.0;
        let keyed_job = key(parts)?.map(|key| JobId::of_key(client.owner(), key));
        Ok(Self { client, keyed_job })
    }
}

fn key(parts: &Parts) -> Result<Option<&str>, ApiError> {
    let Some(key) = parts.headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let key = key.to_str().ok().filter(|key| (1..=MAX_KEY_LENGTH).contains(&key.len()));
    key.map(Some).ok_or_else(|| {
        let message = format!("an Idempotency-Key has 1 to {MAX_KEY_LENGTH} printable ASCII characters");
        ApiError::invalid(message).param("Idempotency-Key")
    })
}

/// The key's first request was another one.
pub(crate) fn key_is_taken(id: &JobId) -> ApiError {
    let message = format!("this Idempotency-Key came with another request, which is {id}; take a new key");
    ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, ErrorKind::InvalidRequestError, message)
        .param("Idempotency-Key")
        .code("idempotency_key_reused")
}

#[cfg(test)]
mod tests {
    use api::Client;

    use super::Caller;

    #[test]
    fn a_job_is_named_once() {
        let id = Some("a".parse().unwrap());
        let caller = |keyed_job| Caller { client: Client::Address("here".into()), keyed_job };
        assert!(caller(id.clone()).job_id(id.clone()).is_err());
        assert_eq!(caller(None).job_id(id.clone()).ok(), id);
        assert_eq!(caller(id.clone()).job_id(None).ok(), id);
    }
}
