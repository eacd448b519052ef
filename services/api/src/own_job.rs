//! The job that a request is about. This is the one place that turns the names which clients give into jobs' full ids, so
//! that none can name another's.

use std::fmt;

use axum::{Extension, extract::FromRequestParts, http::request::Parts};
use engine::{
    ids::{InvalidId, JobId, NotGiven, Tenant},
    temporal::client::ClientError,
};
use serde::Deserialize;

use crate::{
    access::Client,
    error::ApiError,
    extract::Path,
    scope::{JobName, Scope},
};

/// A job or a batch that its client may see. Handlers take it out of the path `{id}`; shown, it is the name that the client
/// knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnJob {
    id: JobId,
    scope: Scope,
}

impl OwnJob {
    /// The job that the client means by the name; whether there is one is not asked.
    ///
    /// # Errors
    /// 400 for what is no name, and 404 for one that a tenant's jobs cannot have.
    pub fn named(scope: &Scope, name: &str) -> Result<Self, ApiError> {
        let id: JobId = name.parse().map_err(|error: InvalidId| ApiError::invalid(error.to_string()))?;
        if scope.tenant().is_some() && id.tenant().is_some() {
            return Err(ClientError::NotFound { id: name.to_owned() }.into());
        }
        Ok(Self::new(scope, id))
    }

    /// One to come, by the name that the client gives to it.
    ///
    /// # Errors
    /// 400 for what is no name, or one that clients cannot give.
    pub fn given(scope: &Scope, name: &str) -> Result<Self, ApiError> {
        let id = JobId::given(name).and_then(|id| {
            let is_foreign = scope.tenant().is_some() && id.tenant().is_some();
            if is_foreign { Err(NotGiven::Invalid(InvalidId)) } else { Ok(id) }
        });
        let id = id.map_err(|error| ApiError::invalid(error.to_string()).param("id"))?;
        Ok(Self::new(scope, id))
    }

    /// One to come that has no name yet.
    pub fn unnamed(scope: &Scope) -> Self {
        Self::new(scope, JobId::new())
    }

    /// The job that the client's idempotency key stands for.
    pub fn of_key(scope: &Scope, key: &str) -> Self {
        Self::new(scope, JobId::of_key(owner(scope), key))
    }

    /// The batch that the client's idempotency key stands for.
    pub fn of_batch_key(scope: &Scope, key: &str) -> Self {
        Self::new(scope, JobId::of_batch_key(owner(scope), key))
    }

    /// The batch that is named after its recordings and options.
    pub fn of_batch(scope: &Scope, sources: &str, options: &str) -> Self {
        Self::new(scope, JobId::of_batch(sources, options))
    }

    /// The job of a batch for one source.
    #[must_use]
    pub fn in_batch(&self, source: &str) -> Self {
        Self { id: self.id.in_batch(source, source), scope: self.scope.clone() }
    }

    fn new(scope: &Scope, id: JobId) -> Self {
        let id = match scope.tenant() {
            Some(tenant) => id.of_tenant(tenant),
            None => id,
        };
        Self { id, scope: scope.clone() }
    }

    /// As Temporal and the store know it.
    pub fn id(&self) -> &JobId {
        &self.id
    }

    pub fn as_str(&self) -> &str {
        self.id.as_str()
    }

    pub fn name(&self) -> JobName {
        self.scope.name(self.as_str())
    }

    pub fn scope(&self) -> &Scope {
        &self.scope
    }
}

/// Whose idempotency keys they are.
fn owner(scope: &Scope) -> &str {
    scope.tenant().map(Tenant::as_str).unwrap_or_default()
}

impl fmt::Display for OwnJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name().fmt(f)
    }
}

/// The part of a path that names a job; routes may have others beside it.
#[derive(Deserialize)]
struct InPath {
    id: String,
}

impl<S: Send + Sync> FromRequestParts<S> for OwnJob {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Extension(client) =
            Extension::<Client>::from_request_parts(parts, state).await.map_err(ApiError::internal)?;
        let Path(InPath { id }) = Path::from_request_parts(parts, state).await?;
        Self::named(client.scope(), &id)
    }
}

#[cfg(test)]
mod tests {
    use super::OwnJob;
    use crate::scope::Scope;

    #[test]
    fn a_tenant_gives_and_sees_names_and_an_admin_ids() {
        let (acme, all) = (Scope::new(Some("acme".parse().unwrap())), Scope::new(None));
        for (scope, given, id, name) in [
            (&acme, "talk", "acme:talk", "talk"),
            (&all, "talk", "talk", "talk"),
            (&all, "acme:talk", "acme:talk", "acme:talk"),
        ] {
            for job in [OwnJob::named(scope, given).unwrap(), OwnJob::given(scope, given).unwrap()] {
                assert_eq!((job.as_str(), job.to_string().as_str()), (id, name));
            }
        }
        for id in ["acme:talk", "other:talk", "other:talk.webhook"] {
            assert_eq!(OwnJob::named(&acme, id).unwrap_err().status(), 404, "{id}");
            assert_eq!(OwnJob::given(&acme, id).unwrap_err().status(), 400, "{id}");
        }
        let derived = "talk.llm.summary";
        assert_eq!(OwnJob::named(&acme, derived).unwrap().as_str(), "acme:talk.llm.summary", "it can be looked up");
        assert_eq!(OwnJob::given(&acme, derived).unwrap_err().status(), 400, "and not be taken");
        assert_ne!(OwnJob::of_key(&acme, "a"), OwnJob::of_batch_key(&acme, "a"));
    }
}
