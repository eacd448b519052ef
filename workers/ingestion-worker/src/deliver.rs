//! Sends the message that a job has ended, and keeps the job's delivery log.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use engine::{
    config::WebhookSettings,
    error::StageError,
    store::{Store, keys},
    temporal::contracts::{DeliverInput, Undelivered},
    webhook::{DeliveryAttempt, JobEnded, WebhookSecrets, signature},
};
use reqwest::{Client, Response, Url, header::CONTENT_TYPE, redirect};

use crate::source::url::{SsrfGuard, chain, refusal_in, shown};

const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Tries once. Every try is in the log before this returns.
pub(crate) async fn deliver(
    store: &Store,
    settings: &WebhookSettings,
    allow_private: bool,
    input: &DeliverInput,
    attempt: u32,
) -> Result<(), StageError> {
    let url = Url::parse(&input.webhook.url);
    let name = url.as_ref().map_or_else(|_| input.webhook.url.clone(), shown);
    let at = now();
    let outcome = match url {
        Ok(url) => post(settings, allow_private, input, url, at).await,
        Err(error) => Err(StageError::bad_input(format!("it is no address: {error}"))),
    };
    let said = outcome.as_ref().map_or_else(|error| error.message.clone(), Clone::clone);
    let event = JobEnded::kind(input.status);
    let tried = DeliveryAttempt { at, attempt, event, url: name.clone(), delivered: outcome.is_ok(), outcome: said };
    log(store, &keys::deliveries_of(&input.job_id, &input.message_id), tried).await?;
    outcome.map(drop).map_err(|error| StageError {
        message: format!("the webhook {name} was not delivered: {}", error.message),
        ..error
    })
}

/// Notes that a message is not on its way, where its attempts would be listed.
pub(crate) async fn note_undelivered(store: &Store, undelivered: Undelivered) -> Result<(), StageError> {
    let Undelivered { job_id, run_id, status, webhook, reason } = undelivered;
    let url = Url::parse(&webhook.url).as_ref().map_or_else(|_| webhook.url.clone(), shown);
    let event = JobEnded::kind(status);
    let noted = DeliveryAttempt { at: now(), attempt: 0, event, url, delivered: false, outcome: reason };
    log(store, &keys::deliveries_of(&job_id, &run_id), noted).await
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// The receiver's status where it took the message.
async fn post(
    settings: &WebhookSettings,
    allow_private: bool,
    input: &DeliverInput,
    url: Url,
    at: u64,
) -> Result<String, StageError> {
    let guard = SsrfGuard::new(allow_private);
    guard.check(&url).map_err(|refusal| StageError::bad_input(refusal.to_string()))?;
    // A file that is wrong is put right by somebody, and the message goes out then.
    let secrets = WebhookSecrets::read(settings).map_err(|error| StageError::transient(error.to_string()))?;
    let secret = secrets.of_job(&input.job_id).map_err(|missing| StageError::setup(missing.to_string()))?;
    let message = JobEnded::new(&input.job_id, input.status);
    let body = serde_json::to_string(&message).map_err(|error| StageError::setup(error.to_string()))?;
    let signed = signature(secret, &input.message_id, at, &body);
    let signed = signed.map_err(|error| StageError::setup(error.to_string()))?;
    let request = client(guard, allow_private)?.post(url).header(CONTENT_TYPE, "application/json");
    let request = request.header("webhook-id", &input.message_id).header("webhook-timestamp", at);
    let answered = request.header("webhook-signature", signed).body(body).send().await;
    check_status(&answered.map_err(|error| unreachable(error.without_url()))?)
}

/// A redirect is an answer like another: the message goes to the address that was asked for, or nowhere.
fn client(guard: SsrfGuard, allow_private: bool) -> Result<Client, StageError> {
    engine::tls::install_provider();
    let builder = if allow_private { Client::builder() } else { Client::builder().no_proxy() };
    let builder = builder.redirect(redirect::Policy::none()).dns_resolver(guard).timeout(ANSWER_TIMEOUT);
    builder.build().map_err(|error| StageError::setup(chain(&error)))
}

fn check_status(response: &Response) -> Result<String, StageError> {
    match response.status() {
        status if status.is_success() => Ok(status.to_string()),
        // The receiver's way to say that it wants no more of these.
        status if status.as_u16() == 410 => Err(StageError::bad_input(format!("the receiver answers {status}"))),
        status => Err(StageError::transient(format!("the receiver answers {status}"))),
    }
}

fn unreachable(error: reqwest::Error) -> StageError {
    match refusal_in(&error) {
        Some(refusal) => StageError::bad_input(refusal.to_string()),
        None => StageError::transient(chain(&error)),
    }
}

/// Each message has a log of its own, which one try after the other writes.
async fn log(store: &Store, key: &str, attempt: DeliveryAttempt) -> Result<(), StageError> {
    let mut attempts: Vec<DeliveryAttempt> = store.find_json(key).await?.unwrap_or_default();
    attempts.push(attempt);
    Ok(store.write_json(key, &attempts).await?)
}
