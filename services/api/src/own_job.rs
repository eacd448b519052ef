//! Whose jobs a client gives and sees. Jobs are known to Temporal and to the store by full ids, and to a tenant by names:
//! this is the one place that turns names into ids, and ids into names.

use std::fmt;

use axum::{Extension, extract::FromRequestParts, http::request::Parts};
use engine::{
    ids::{InvalidId, JobId, Tenant},
    result::JobResult,
    temporal::client::ClientError,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{access::Client, error::ApiError, extract::Path};

/// The jobs of one tenant, or all jobs: for admins, and where there are no keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope(Option<Tenant>);

/// A job that its client may see. Handlers take it out of the path `{id}`; shown, it is the name that the client knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnJob {
    id: JobId,
    scope: Scope,
}

/// What an answer calls a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(value_type = String)]
pub struct JobName(String);

impl Scope {
    pub(crate) fn new(tenant: Option<Tenant>) -> Self {
        Self(tenant)
    }

    /// `None` for those that see all.
    pub fn tenant(&self) -> Option<&Tenant> {
        self.0.as_ref()
    }

    /// The job that the client means by the name; whether there is one is not asked.
    ///
    /// # Errors
    /// 400 for what is no name, and 404 for one that a tenant's jobs cannot have.
    pub fn job(&self, name: &str) -> Result<OwnJob, ApiError> {
        let id: JobId = name.parse().map_err(|error: InvalidId| ApiError::invalid(error.to_string()))?;
        if self.0.is_some() && id.tenant().is_some() {
            return Err(ClientError::NotFound { id: name.to_owned() }.into());
        }
        Ok(self.own(id))
    }

    /// A job or a batch to come, by the name that the client gives to it.
    ///
    /// # Errors
    /// 400 for what is no name, or one that clients cannot give.
    pub fn given(&self, name: &str) -> Result<OwnJob, ApiError> {
        let refused = |error: &dyn fmt::Display| ApiError::invalid(error.to_string()).param("id");
        let id = JobId::given(name).map_err(|error| refused(&error))?;
        if self.0.is_some() && id.tenant().is_some() { Err(refused(&InvalidId)) } else { Ok(self.own(id)) }
    }

    /// A job to come that has no name yet.
    pub fn new_job(&self) -> OwnJob {
        self.own(JobId::new())
    }

    /// The job that the client's idempotency key stands for.
    pub fn keyed_job(&self, key: &str) -> OwnJob {
        self.own(JobId::of_key(self.owner(), key))
    }

    /// The batch that the client's idempotency key stands for.
    pub fn keyed_batch(&self, key: &str) -> OwnJob {
        self.own(JobId::of_batch_key(self.owner(), key))
    }

    /// The batch that is named after its recordings and options.
    pub fn batch_of(&self, sources: &str, options: &str) -> OwnJob {
        self.own(JobId::of_batch(sources, options))
    }

    /// What the client calls the job of this id.
    pub fn name(&self, id: &str) -> JobName {
        let name = self.0.as_ref().and_then(|tenant| id.strip_prefix(&tenant.id_prefix()));
        JobName(name.unwrap_or(id).to_owned())
    }

    /// A message of the system's own, which names jobs and objects by full ids, as the client may read it.
    pub fn told(&self, message: &str) -> String {
        let Some(tenant) = &self.0 else { return message.to_owned() };
        let prefix = tenant.id_prefix();
        let mut told = String::with_capacity(message.len());
        let mut rest = message;
        while let Some((before, after)) = rest.split_once(&prefix) {
            told.push_str(before);
            // `acme:talk` is a job of acme, and `pacme:talk` and `acme: talk` are other words.
            let begins = !told.ends_with(|letter: char| letter.is_ascii_alphanumeric() || letter == '-');
            if !(begins && after.starts_with(|letter: char| letter.is_ascii_alphanumeric())) {
                told.push_str(&prefix);
            }
            rest = after;
        }
        told + rest
    }

    fn owner(&self) -> &str {
        self.0.as_ref().map(Tenant::as_str).unwrap_or_default()
    }

    fn own(&self, id: JobId) -> OwnJob {
        let id = match &self.0 {
            Some(tenant) => id.of_tenant(tenant),
            None => id,
        };
        OwnJob { id, scope: self.clone() }
    }
}

impl OwnJob {
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

    /// The job of a batch for one source.
    #[must_use]
    pub fn in_batch(&self, source: &str) -> Self {
        self.scope.own(self.id.in_batch(source, source))
    }

    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Its result with the names that the client knows.
    #[must_use]
    pub fn told(&self, mut result: JobResult) -> JobResult {
        result.job_id = self.to_string();
        for failure in &mut result.errors {
            failure.message = self.scope.told(&failure.message);
        }
        result
    }
}

impl fmt::Display for OwnJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name().fmt(f)
    }
}

impl fmt::Display for JobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
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
        client.scope().job(&id)
    }
}

#[cfg(test)]
mod tests {
    use super::Scope;

    fn acme() -> Scope {
        Scope::new(Some("acme".parse().unwrap()))
    }

    #[test]
    fn a_tenant_gives_and_sees_names_and_an_admin_ids() {
        let all = Scope::new(None);
        for (scope, given, id, name) in [
            (&acme(), "talk", "acme:talk", "talk"),
            (&all, "talk", "talk", "talk"),
            (&all, "acme:talk", "acme:talk", "acme:talk"),
        ] {
            for job in [scope.job(given).unwrap(), scope.given(given).unwrap()] {
                assert_eq!((job.as_str(), job.to_string().as_str()), (id, name));
            }
        }
        for id in ["acme:talk", "other:talk", "other:talk.webhook"] {
            assert_eq!(acme().job(id).unwrap_err().status(), 404, "{id}");
            assert_eq!(acme().given(id).unwrap_err().status(), 400, "{id}");
        }
        let derived = "talk.llm.summary";
        assert_eq!(acme().job(derived).unwrap().as_str(), "acme:talk.llm.summary", "it can be looked up");
        assert_eq!(acme().given(derived).unwrap_err().status(), 400, "and not be taken");
        assert_ne!(acme().keyed_job("a"), acme().keyed_batch("a"));
    }

    #[test]
    fn messages_are_told_without_the_tenant() {
        for (message, told) in [
            ("there is no job acme:talk", "there is no job talk"),
            ("jobs/acme:talk/result.json, \"acme:a\", acme:b", "jobs/talk/result.json, \"a\", b"),
            ("acme: no such host pacme:80, x-acme:b", "acme: no such host pacme:80, x-acme:b"),
            ("acme:acme:a other:b", "acme:a other:b"),
            ("nothing", "nothing"),
        ] {
            assert_eq!(acme().told(message), told);
            assert_eq!(Scope::new(None).told(message), message);
        }
    }
}
