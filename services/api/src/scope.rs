//! Whose jobs a client sees, and what it is told of their ids: a tenant knows its jobs by names, Temporal and the store by
//! full ids.

use std::fmt;

use engine::ids::Tenant;
use serde::Serialize;
use utoipa::ToSchema;

/// The jobs of one tenant, or all jobs: for admins, and where there are no keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope(Option<Tenant>);

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
}

impl fmt::Display for JobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Scope;

    #[test]
    fn messages_are_told_without_the_tenant() {
        let acme = Scope::new(Some("acme".parse().unwrap()));
        for (message, told) in [
            ("there is no job acme:talk", "there is no job talk"),
            ("jobs/acme:talk/result.json, \"acme:a\", acme:b", "jobs/talk/result.json, \"a\", b"),
            ("acme: no such host pacme:80, x-acme:b", "acme: no such host pacme:80, x-acme:b"),
            ("nothing", "nothing"),
        ] {
            assert_eq!(acme.told(message), told);
            assert_eq!(Scope::new(None).told(message), message);
        }
    }
}
