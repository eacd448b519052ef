//! Settings of what is kept, and for how long.

use std::{collections::BTreeMap, str::FromStr, time::Duration};

use confique::Config;
use serde::{Deserialize, Deserializer, de::Error};

use crate::ids::{JobId, Tenant};

/// What is kept, and for how long. Read by the ingestion worker.
#[derive(Debug, Clone, Config)]
pub struct HousekeepingSettings {
    /// Days for which jobs are kept after their end, with all that they left; a tenant's own after a comma, such as `90,acme=30,other=never`. Default: for ever.
    #[config(env = "LONGHAND_RETENTION_DAYS")]
    pub retention: Option<Retention>,
    /// The same for recordings and what was made of their sound; transcripts and answers stay. Default: as long as the job.
    #[config(env = "LONGHAND_RETENTION_RECORDINGS_DAYS")]
    pub retention_of_recordings: Option<Retention>,
    /// Hours between two rounds of housekeeping, which has jobs purged whose time is over and sweeps the store; 0 for none.
    #[config(env = "LONGHAND_HOUSEKEEPING_HOURS", default = 24)]
    pub every_hours: u32,
    /// Hours for which what nobody refers to has to lie about untouched before it is swept.
    #[config(env = "LONGHAND_SWEEP_AGE_HOURS", default = 24)]
    pub sweep_age_hours: u32,
}

/// How long things are kept: for all, and for some tenants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Retention {
    all: Option<Duration>,
    /// `None` for those whose things are kept for ever.
    tenants: BTreeMap<Tenant, Option<Duration>>,
}

/// It says no times.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither a number of days nor TENANT=DAYS nor TENANT=never; write them as `90,acme=30,other=never`")]
pub struct InvalidRetention(String);

impl Retention {
    /// How long what belongs to the job is kept; `None` for ever.
    pub fn of(&self, job: &JobId) -> Option<Duration> {
        let own = job.tenant().and_then(|tenant| self.tenants.get(&tenant));
        own.copied().unwrap_or(self.all)
    }
}

impl FromStr for Retention {
    type Err = InvalidRetention;

    fn from_str(text: &str) -> Result<Self, InvalidRetention> {
        let mut retention = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let invalid = || InvalidRetention(part.to_owned());
            match part.split_once('=') {
                None => retention.all = days(part).ok_or_else(invalid)?,
                Some((tenant, kept)) => {
                    let tenant = tenant.trim().parse().map_err(|_| invalid())?;
                    retention.tenants.insert(tenant, days(kept.trim()).ok_or_else(invalid)?);
                }
            }
        }
        Ok(retention)
    }
}

fn days(text: &str) -> Option<Option<Duration>> {
    const DAY: Duration = Duration::from_secs(24 * 3600);
    if text == "never" { Some(None) } else { Some(DAY.checked_mul(text.parse().ok()?)) }
}

impl<'de> Deserialize<'de> for Retention {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Days(u32),
            Text(String),
        }
        let text = match Written::deserialize(deserializer)? {
            Written::Days(days) => days.to_string(),
            Written::Text(text) => text,
        };
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Retention;
    use crate::ids::JobId;

    const DAY: Duration = Duration::from_secs(24 * 3600);

    #[test]
    fn a_tenant_may_have_a_time_of_its_own() {
        for (written, job, kept) in [
            ("90", "talk", Some(90 * DAY)),
            ("90", "acme:talk", Some(90 * DAY)),
            ("90, acme=30,other=never", "acme:talk", Some(30 * DAY)),
            ("90,acme=30,other=never", "other:talk", None),
            ("90,acme=30", "talk", Some(90 * DAY)),
            ("acme=0", "acme:talk", Some(Duration::ZERO)),
            ("acme=0", "talk", None),
            ("never", "talk", None),
            ("", "talk", None),
        ] {
            let retention: Retention = written.parse().unwrap();
            assert_eq!(retention.of(&job.parse::<JobId>().unwrap()), kept, "{written:?} for {job}");
        }
        for bad in ["soon", "-1", "1.5", "acme", "ACME=3", "acme=", "=3", "acme=3=4"] {
            assert!(bad.parse::<Retention>().is_err(), "{bad:?}");
        }
    }
}
