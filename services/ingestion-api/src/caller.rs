//! Who asks for a job, and the `Idempotency-Key` header: a second request with the same key means the same job.

use api::{ApiError, Client, ErrorKind, OwnJob, Scope};
use axum::{
    Extension,
    extract::FromRequestParts,
    http::{HeaderName, StatusCode, request::Parts},
};
use engine::{job::JobRequest, temporal::client::Jobs};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

const MAX_KEY_LENGTH: usize = 255;

/// The sender of a request for a job.
pub(crate) struct Caller {
    pub(crate) client: Client,
    /// The request's idempotency key, if it has one.
    key: Option<String>,
}

impl Caller {
    pub(crate) fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// Whose jobs it gives and sees.
    pub(crate) fn scope(&self) -> &Scope {
        self.client.scope()
    }

    /// The job by the name that the client gives it, that of its idempotency key, or a new one.
    ///
    /// # Errors
    /// 400 where the client gave both, or a name that it cannot give.
    pub(crate) fn job(&self, named: Option<&str>) -> Result<OwnJob, ApiError> {
        let scope = self.scope();
        self.named(named, OwnJob::of_key).map(|job| job.unwrap_or_else(|| OwnJob::unnamed(scope)))
    }

    /// As [`Caller::job`], for a batch, which is named after what is in it where nobody names it.
    pub(crate) fn batch(&self, named: Option<&str>) -> Result<Option<OwnJob>, ApiError> {
        self.named(named, OwnJob::of_batch_key)
    }

    fn named(&self, named: Option<&str>, keyed: impl Fn(&Scope, &str) -> OwnJob) -> Result<Option<OwnJob>, ApiError> {
        match (named, &self.key) {
            (Some(_), Some(_)) => {
                Err(ApiError::invalid("send the field id or the header Idempotency-Key, not both").param("id"))
            }
            (Some(name), None) => OwnJob::given(self.scope(), name).map(Some),
            (None, key) => Ok(key.as_deref().map(|key| keyed(self.scope(), key))),
        }
    }

    /// Whether the request is the one that its idempotency key came with first, also where that one's job has ended.
    ///
    /// # Errors
    /// 422 where it is another one.
    pub(crate) async fn check_key(&self, jobs: &Jobs, job: &OwnJob, request: &JobRequest) -> Result<(), ApiError> {
        if !self.has_key() {
            return Ok(());
        }
        let first = jobs.latest_request(job.as_str()).await?;
        if first.is_some_and(|first| first != *request) { Err(key_is_taken(job)) } else { Ok(()) }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let client = Extension::<Client>::from_request_parts(parts, state).await.map_err(ApiError::internal)?.0;
        Ok(Self { client, key: key(parts)?.map(str::to_owned) })
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
pub(crate) fn key_is_taken(job: &OwnJob) -> ApiError {
    let message = format!("this Idempotency-Key came with another request, which is {job}; take a new key");
    ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, ErrorKind::InvalidRequestError, message)
        .param("Idempotency-Key")
        .code("idempotency_key_reused")
}
