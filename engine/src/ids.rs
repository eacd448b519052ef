//! The names of tenants, jobs and batches.

mod tenant;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{hash::hexadecimal, llm::LlmTask};

pub use tenant::{InvalidTenant, Tenant};

use tenant::TENANT_END;

/// A name that is safe as a workflow's id and as a folder in the store: `NAME`, or `TENANT:NAME` for a tenant's own, so
/// that two tenants may give the same name and no tenant can spell another's.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct JobId(String);

/// Letters of a name, its tenant apart.
const LONGEST: usize = 200;

/// A name that is no id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("use at most {LONGEST} letters, digits, dots, dashes and underscores, and begin with a letter or a digit")]
pub struct InvalidId;

/// A name that no client can give.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotGiven {
    #[error(transparent)]
    Invalid(#[from] InvalidId),
    #[error(
        "names that end in .webhook, or have .llm. and a task in them, are given by Longhand itself to what belongs to a \
         job; take another one"
    )]
    Derived,
}

impl FromStr for JobId {
    type Err = InvalidId;

    fn from_str(id: &str) -> Result<Self, InvalidId> {
        let (tenant, name) = id.split_once(TENANT_END).map_or((None, id), |(tenant, name)| (Some(tenant), name));
        tenant.map(Tenant::from_str).transpose().map_err(|InvalidTenant| InvalidId)?;
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || ".-_".contains(letter);
        let begins_well = name.starts_with(|letter: char| letter.is_ascii_alphanumeric());
        if begins_well && name.len() <= LONGEST && name.chars().all(allowed) {
            return Ok(Self(id.to_owned()));
        }
        Err(InvalidId)
    }
}

impl TryFrom<String> for JobId {
    type Error = InvalidId;

    fn try_from(name: String) -> Result<Self, InvalidId> {
        name.parse()
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl JobId {
    /// The name that a client gives to a job or a batch that it starts.
    ///
    /// # Errors
    /// What is no id, and names that the system gives itself: a job that had one would stand in the way of another's
    /// webhook or later question.
    pub fn given(name: &str) -> Result<Self, NotGiven> {
        let id: Self = name.parse()?;
        if id.is_derived() { Err(NotGiven::Derived) } else { Ok(id) }
    }

    /// Whether it belongs to a job: the delivery of its webhook, or a later question about it.
    fn is_derived(&self) -> bool {
        let is_task = |rest: &str| LlmTask::NAMES.iter().any(|task| rest.starts_with(task));
        self.name().ends_with(".webhook") || self.name().split(".llm.").skip(1).any(is_task)
    }

    /// A name that no other job has; later ones sort after earlier ones.
    #[expect(clippy::new_without_default, reason = "each call gives another id")]
    pub fn new() -> Self {
        Self(format!("job-{}", Uuid::now_v7().simple()))
    }

    /// The job of an idempotency key, which is a client's own: the same for the same key of the same client.
    pub fn of_key(client: &str, key: &str) -> Self {
        Self(format!("job-{}", digest::<16>(&[client, key])))
    }

    /// As [`JobId::of_key`], for a batch: one key may stand for a job and for a batch.
    pub fn of_batch_key(client: &str, key: &str) -> Self {
        Self(format!("batch-{}", digest::<16>(&[client, key])))
    }

    /// The batch of a source and of the options of its jobs: the same for the same.
    pub fn of_batch(source: &str, options: &str) -> Self {
        Self(format!("batch-{}", digest::<6>(&[source, options])))
    }

    /// The job of a batch for one entry, by the entry's name and content.
    pub fn in_batch(&self, name: &str, content: &str) -> Self {
        let kept = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
        let tail_from = name.char_indices().rev().nth(READABLE - 1).map_or(0, |(at, _)| at);
        let readable: String = name[tail_from..].chars().map(kept).collect();
        Self(format!("{}.{}-{}", self.0, readable.trim_matches('-'), digest::<6>(&[name, content])))
    }

    /// The job of the `position`th of several inputs that were given one name together.
    pub fn numbered(&self, position: usize) -> Self {
        Self(format!("{}-{position}", self.0))
    }

    /// The tenant's job of this name. A job belongs to one tenant only: one that has a tenant stays as it is.
    #[must_use]
    pub fn of_tenant(self, tenant: &Tenant) -> Self {
        if self.tenant().is_some() { self } else { Self(format!("{}{}", tenant.id_prefix(), self.0)) }
    }

    /// Whose job it is; none where there are no tenants.
    pub fn tenant(&self) -> Option<Tenant> {
        tenant_and_name(&self.0).0
    }

    /// The name that the tenant knows it by.
    pub fn name(&self) -> &str {
        tenant_and_name(&self.0).1
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whose job it is that has the id, and by which name its tenant knows it. Of an id that Temporal or the store has: one
/// that was given past Longhand's own programs may be anything.
pub fn tenant_and_name(id: &str) -> (Option<Tenant>, &str) {
    let tenant = id.split_once(TENANT_END).and_then(|(tenant, name)| Some((tenant.parse().ok()?, name)));
    tenant.map_or((None, id), |(tenant, name)| (Some(tenant), name))
}

/// Letters of an entry's name in its job's id.
const READABLE: usize = 40;

/// As many bytes of the parts' common hash, in hexadecimal.
fn digest<const BYTES: usize>(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    hexadecimal(&hash.finalize()[..BYTES])
}

#[cfg(test)]
mod tests {
    use super::{JobId, Tenant};

    #[test]
    fn only_safe_names_are_ids() {
        for good in ["a", "0", "talk-2024_05.mp3", &"x".repeat(200)] {
            assert_eq!(good.parse::<JobId>().unwrap().as_str(), good);
        }
        for bad in ["", ".", "..", ".a", "-a", "a/b", "a b", "ä", "a\n", &"x".repeat(201)] {
            assert!(bad.parse::<JobId>().is_err(), "{bad:?}");
        }
        let (one, other) = (JobId::new(), JobId::new());
        assert_eq!(one.as_str().parse(), Ok(one.clone()));
        assert!(one.as_str() < other.as_str(), "later ones sort after");
    }

    #[test]
    fn a_tenants_jobs_are_its_own() {
        let tenant: Tenant = "acme-2".parse().unwrap();
        let talk: JobId = "talk".parse().unwrap();
        let job = talk.clone().of_tenant(&tenant);
        assert_eq!(job.as_str(), "acme-2:talk");
        assert_eq!((job.as_str().parse(), job.tenant(), job.name()), (Ok(job.clone()), Some(tenant.clone()), "talk"));
        assert_eq!(job.clone().of_tenant(&"other".parse().unwrap()), job, "it stays whose it is");
        assert_eq!((talk.tenant(), talk.name()), (None, "talk"));
        for bad in [":a", "a:", "A:a", "a:b:c", "a.b:c", &format!("{}:a", "x".repeat(41))] {
            assert!(bad.parse::<JobId>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn names_that_the_system_derives_cannot_be_given() {
        for derived in
            ["talk.webhook", "acme:talk.webhook", "talk.llm.summary", "a.llm.ask.7", ".llm.", "a.run-1.webhook"]
        {
            assert!(JobId::given(derived).is_err(), "{derived}");
        }
        for given in ["webhook", "talk.webhooks", "talk.llm.poem", "talk.llm", "acme:talk", "llm.summary"] {
            assert_eq!(JobId::given(given).unwrap().as_str(), given);
        }
    }

    #[test]
    fn a_key_means_one_job_of_one_client() {
        let job = JobId::of_key("anna", "order 17");
        assert_eq!(job, JobId::of_key("anna", "order 17"));
        assert_ne!(job, JobId::of_key("bert", "order 17"));
        assert_eq!(job.as_str().parse(), Ok(job.clone()));
    }

    #[test]
    fn a_batch_names_its_jobs_by_name_and_content() {
        let batch = JobId::of_batch("/talks", "{}");
        assert_eq!(batch, JobId::of_batch("/talks", "{}"));
        assert_ne!(batch, JobId::of_batch("/talk", "s{}"));
        let job = batch.in_batch("über/eins.flac", "abc");
        assert_eq!(job, batch.in_batch("über/eins.flac", "abc"));
        assert_ne!(job, batch.in_batch("über/eins.flac", "abd"));
        assert!(job.as_str().starts_with(&format!("{batch}.ber-eins-flac-")), "{job}");
        let long = batch.in_batch(&"ü".repeat(300), "abc");
        assert!(long.as_str().parse::<JobId>().is_ok(), "{long}");
    }
}
