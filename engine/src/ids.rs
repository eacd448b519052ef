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
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct JobId(String);

/// Letters of a name that somebody gives, its tenant apart: file systems take 255 for an object's, with the tenant before
/// it and what stands after it while it is written.
const LONGEST: usize = 200;

/// Letters of any name: what is derived from one is looked up, too, and before there was a bound a batch made longer ones.
const LONGEST_KNOWN: usize = 300;

/// Letters of an entry's name in its job's id.
const READABLE: usize = 40;

/// Bytes of the hash after it, in two letters each.
const CONTENT_HASH: usize = 6;

/// Letters that a batch adds to its own name to make one of its jobs.
const IN_BATCH: usize = 1 + READABLE + 1 + 2 * CONTENT_HASH;

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
    #[error("use at most {most} letters: the ids of its jobs begin with it, and are at most {LONGEST} letters long")]
    NoRoom { most: usize },
}

impl FromStr for JobId {
    type Err = InvalidId;

    fn from_str(id: &str) -> Result<Self, InvalidId> {
        let (tenant, name) = id.split_once(TENANT_END).map_or((None, id), |(tenant, name)| (Some(tenant), name));
        tenant.map(Tenant::from_str).transpose().map_err(|InvalidTenant| InvalidId)?;
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || ".-_".contains(letter);
        let begins_well = name.starts_with(|letter: char| letter.is_ascii_alphanumeric());
        if begins_well && name.len() <= LONGEST_KNOWN && name.chars().all(allowed) {
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
        if id.name().len() > LONGEST {
            return Err(InvalidId.into());
        }
        if id.is_derived() { Err(NotGiven::Derived) } else { Ok(id) }
    }

    /// As [`JobId::given`], for a batch, whose jobs get longer names.
    ///
    /// # Errors
    /// Those of [`JobId::given`], and [`NotGiven::NoRoom`].
    pub fn given_to_batch(name: &str) -> Result<Self, NotGiven> {
        Self::given(name)?.with_room_for(IN_BATCH)
    }

    fn with_room_for(self, added: usize) -> Result<Self, NotGiven> {
        let most = LONGEST - added;
        if self.name().len() > most { Err(NotGiven::NoRoom { most }) } else { Ok(self) }
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
        let hash = digest::<CONTENT_HASH>(&[name, content]);
        Self(format!("{}.{}-{hash}", self.0, readable.trim_matches('-')))
    }

    /// The job of this batch that has the id, or to which what has it belongs: a message, a later question. Whichever run
    /// of the batch began it, and whatever list names it.
    pub fn job_of_batch(&self, id: &str) -> Option<Self> {
        let rest = id.strip_prefix(self.as_str())?.strip_prefix('.')?;
        let entry = rest.split('.').next()?;
        let is_own = entry == rest || Self(id.to_owned()).is_derived();
        (is_own && is_entry(entry)).then(|| Self(format!("{self}.{entry}")))
    }

    /// The batch that a job has its id from.
    pub fn batch(&self) -> Option<Self> {
        let (batch, entry) = self.0.rsplit_once('.')?;
        is_entry(entry).then(|| Self(batch.to_owned()))
    }

    /// The jobs of so many inputs that were given one name together.
    ///
    /// # Errors
    /// [`NotGiven::NoRoom`]
    pub fn numbered(self, count: usize) -> Result<Vec<Self>, NotGiven> {
        let Self(name) = self.with_room_for(1 + count.to_string().len())?;
        Ok((1..=count).map(|position| Self(format!("{name}-{position}"))).collect())
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

/// Whether an id's last part is one that [`JobId::in_batch`] makes.
fn is_entry(part: &str) -> bool {
    let is_hash = |hash: &str| {
        hash.len() == 2 * CONTENT_HASH && hash.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_readable = |text: &str| text.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'-');
    part.rsplit_once('-').is_some_and(|(readable, hash)| is_readable(readable) && is_hash(hash))
}

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
        for bad in ["", ".", "..", ".a", "-a", "a/b", "a b", "ä", "a\n", &"x".repeat(301)] {
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

    /// With the longest tenant and what a folder store adds to a file's name while it is written.
    #[test]
    fn what_is_made_of_a_name_that_can_be_given_fits_a_file_system() {
        let tenant: Tenant = "t".repeat(40).parse().unwrap();
        let longest = |given: fn(&str) -> Result<JobId, super::NotGiven>| {
            (1..400).rev().find_map(|letters| given(&"x".repeat(letters)).ok()).unwrap()
        };
        let (job, batch) = (longest(JobId::given), longest(JobId::given_to_batch));
        assert_eq!((job.as_str().len(), batch.as_str().len()), (200, 146));
        let entry = "e".repeat(300);
        let numbered = longest(|name| JobId::given(name)?.numbered(10)?.pop().ok_or(super::NotGiven::Derived));
        for made in [batch.in_batch(&entry, &entry), job.clone(), numbered] {
            let id = made.of_tenant(&tenant);
            assert!(id.as_str().len() + 10 <= 255, "{id}");
            for known in [id.to_string(), format!("{id}.llm.chapters"), format!("{id}.webhook")] {
                assert_eq!(known.parse::<JobId>().map(|id| id.to_string()), Ok(known), "it can be looked up");
            }
        }
        let refused = JobId::given_to_batch(&"x".repeat(147)).unwrap_err().to_string();
        assert!(refused.starts_with("use at most 146 letters"), "{refused}");
        let of_before = JobId::given(&"x".repeat(200)).unwrap().in_batch(&entry, &entry).of_tenant(&tenant);
        assert!(of_before.as_str().parse::<JobId>().is_ok());
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
        for id in [job.to_string(), format!("{job}.run-1.webhook"), format!("{job}.llm.summary")] {
            assert_eq!(batch.job_of_batch(&id).as_ref(), Some(&job), "{id}");
        }
        let other: JobId = format!("{batch}.more").parse().unwrap();
        let foreign = other.in_batch("a", "b");
        for id in [foreign.as_str(), other.as_str(), batch.as_str(), &format!("{batch}.talk-1"), &format!("{job}.more")]
        {
            assert_eq!(batch.job_of_batch(id), None, "{id}");
        }
        assert_eq!((job.batch(), foreign.batch(), batch.batch()), (Some(batch.clone()), Some(other), None));
        let long = batch.in_batch(&"ü".repeat(300), "abc");
        assert!(long.as_str().parse::<JobId>().is_ok(), "{long}");
    }
}
