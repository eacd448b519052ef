//! The message that tells a user's own server how a job ended, signed after the Standard Webhooks specification
//! (version 1), for which receivers find ready-made checks in every language.

mod secrets;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::{ids::tenant_and_name, result::JobStatus, secret::Secret};

pub use secrets::{NoWebhookSecret, SecretsError, WebhookSecrets};

/// The body of the POST.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobEnded {
    /// `job.completed`, `job.completed_with_errors`, `job.failed` or `job.cancelled`.
    #[serde(rename = "type")]
    pub kind: String,
    /// As the receiver's tenant knows it.
    pub job_id: String,
    pub status: JobStatus,
}

impl JobEnded {
    pub fn new(job_id: &str, status: JobStatus) -> Self {
        Self { kind: Self::kind(status), job_id: tenant_and_name(job_id).1.to_owned(), status }
    }

    /// What the message is called of a job that ended so.
    pub fn kind(status: JobStatus) -> String {
        format!("job.{status}")
    }
}

/// One try to deliver, as the job's delivery log in the store lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryAttempt {
    /// Seconds since the epoch.
    pub at: u64,
    /// The first is 1; 0 where none could be made.
    pub attempt: u32,
    /// What was told, such as `job.failed`.
    #[serde(default)]
    pub event: String,
    /// The address without user, password and query.
    pub url: String,
    pub delivered: bool,
    /// The receiver's status, or why there was none.
    pub outcome: String,
}

/// What a secret begins with where it is written in base64, after the specification.
const BASE64_PREFIX: &str = "whsec_";

/// The key in a secret is not base64 although its prefix says so.
#[derive(Debug, thiserror::Error)]
#[error("the key that signs webhooks begins with whsec_, but what follows is not base64; generate a new one")]
pub struct BadSecret;

/// The value of the header `webhook-signature`.
///
/// # Errors
/// [`BadSecret`]
pub fn signature(secret: &Secret, id: &str, timestamp: u64, body: &str) -> Result<String, BadSecret> {
    // HMAC takes keys of every length.
    let mut mac = Hmac::<Sha256>::new_from_slice(&key_of(secret)?).map_err(|_| BadSecret)?;
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    Ok(format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes())))
}

fn key_of(secret: &Secret) -> Result<Vec<u8>, BadSecret> {
    match secret.expose().strip_prefix(BASE64_PREFIX) {
        Some(encoded) => BASE64_STANDARD.decode(encoded).map_err(|_| BadSecret),
        None => Ok(secret.expose().as_bytes().to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification.
    #[test]
    fn signatures_are_those_of_the_specification() {
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned());
        let signed = signature(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signed.unwrap(), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_that_is_no_base64_is_said() {
        assert!(signature(&Secret::new("whsec_%".to_owned()), "id", 0, "").is_err());
        assert!(signature(&Secret::new("plain words".to_owned()), "id", 0, "").is_ok());
    }
}
