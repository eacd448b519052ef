//! The keys that sign messages: one for all, and those of tenants that have their own.

use std::{collections::BTreeMap, fs, path::Path};

use super::{BadSecret, key_of};
use crate::{
    config::WebhookSettings,
    ids::{Tenant, tenant_and_name},
    secret::Secret,
};

/// Who signs with what.
#[derive(Debug, Clone, Default)]
pub struct WebhookSecrets {
    common: Option<Secret>,
    of_tenants: BTreeMap<Tenant, Secret>,
}

/// What is wrong with the file of tenants' keys. No message has a key in it.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    #[error("the webhooks' keys in {file} cannot be read: {reason}; LONGHAND_WEBHOOK_SECRETS names the file")]
    Unreadable { file: String, reason: String },
    #[error("line {line} of the webhooks' keys in {file} is not `TENANT SECRET`")]
    Line { file: String, line: usize },
    #[error("line {line} of the webhooks' keys in {file}: {reason}")]
    Secret { file: String, line: usize, reason: BadSecret },
    #[error("the webhooks' keys in {file} have the tenant {tenant} twice; keep one")]
    Duplicate { file: String, tenant: Tenant },
}

/// Nobody could check a message that is not signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "webhooks are never sent unsigned: set LONGHAND_WEBHOOK_SECRET on the ingestion worker and on the ingestion API, or \
     leave the webhook out"
)]
pub struct NoWebhookSecret;

impl WebhookSecrets {
    /// Reads the file of tenants' keys, where the settings name one.
    ///
    /// # Errors
    /// A file that is not there, or not what is expected.
    pub fn read(settings: &WebhookSettings) -> Result<Self, SecretsError> {
        let of_tenants = settings.secrets.as_deref().map(read).transpose()?.unwrap_or_default();
        Ok(Self { common: settings.secret.clone(), of_tenants })
    }

    /// What signs messages about the job of this id.
    ///
    /// # Errors
    /// [`NoWebhookSecret`]
    pub fn of_job(&self, id: &str) -> Result<&Secret, NoWebhookSecret> {
        self.of_tenant(tenant_and_name(id).0.as_ref())
    }

    /// What signs messages about the tenant's jobs, or about those that are no tenant's.
    ///
    /// # Errors
    /// [`NoWebhookSecret`]
    pub fn of_tenant(&self, tenant: Option<&Tenant>) -> Result<&Secret, NoWebhookSecret> {
        let own = tenant.and_then(|tenant| self.of_tenants.get(tenant));
        own.or(self.common.as_ref()).ok_or(NoWebhookSecret)
    }
}

/// Empty lines and those that begin with # are skipped. A secret may have spaces in it.
fn read(file: &Path) -> Result<BTreeMap<Tenant, Secret>, SecretsError> {
    let shown = || file.display().to_string();
    let text = fs::read_to_string(file)
        .map_err(|error| SecretsError::Unreadable { file: shown(), reason: error.to_string() })?;
    let mut secrets = BTreeMap::new();
    for (line, text) in (1..).zip(text.lines().map(str::trim)) {
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let words = text.split_once(char::is_whitespace);
        let words = words.and_then(|(tenant, secret)| Some((tenant.parse::<Tenant>().ok()?, secret.trim())));
        let (tenant, secret) = words.ok_or_else(|| SecretsError::Line { file: shown(), line })?;
        let secret = Secret::new(secret.to_owned());
        key_of(&secret).map_err(|reason| SecretsError::Secret { file: shown(), line, reason })?;
        if secrets.insert(tenant.clone(), secret).is_some() {
            return Err(SecretsError::Duplicate { file: shown(), tenant });
        }
    }
    Ok(secrets)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::WebhookSecrets;
    use crate::{config::WebhookSettings, secret::Secret};

    fn secrets(text: &str, common: Option<&str>) -> Result<WebhookSecrets, String> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let secret = common.map(|secret| Secret::new(secret.to_owned()));
        let settings = WebhookSettings { secret, secrets: Some(file.path().to_owned()) };
        WebhookSecrets::read(&settings).map_err(|error| error.to_string())
    }

    #[test]
    fn a_tenants_own_key_goes_before_the_common_one() {
        let text = "# whose\nacme  of acme \nother whsec_b3RoZXI=\n";
        for (common, id, signs) in [
            (Some("common"), "acme:talk", Some("of acme")),
            (Some("common"), "other:talk", Some("whsec_b3RoZXI=")),
            (Some("common"), "third:talk", Some("common")),
            (Some("common"), "talk", Some("common")),
            (None, "acme:talk", Some("of acme")),
            (None, "talk", None),
        ] {
            let secrets = secrets(text, common).unwrap();
            assert_eq!(secrets.of_job(id).ok().map(Secret::expose), signs, "{id}");
        }
    }

    #[test]
    fn a_file_that_is_malformed_is_refused_without_telling_keys() {
        for (text, complaint) in [
            ("acme", "line 1 of"),
            ("# a\nAcme hush", "line 2 of"),
            ("acme whsec_hush%", "not base64"),
            ("acme hush\nacme hush", "the tenant acme twice"),
        ] {
            let error = secrets(text, None).unwrap_err();
            assert!(error.contains(complaint) && !error.contains("hush"), "{error}");
        }
    }
}
