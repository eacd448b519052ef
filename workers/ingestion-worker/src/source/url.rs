//! Recordings at http and https addresses.

use std::{error::Error, pin::pin, time::Duration};

use engine::error::StageError;
use futures_util::TryStreamExt;
use reqwest::{Client, Response, StatusCode, Url};

pub(crate) use super::ssrf_guard::SsrfGuard;
use super::{LocalSource, SizeLimit, pace::Pace, ssrf_guard::Refusal, temporary};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A server may be silent that long, at the start or in the middle.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// Downloads a recording to a temporary file.
pub(super) async fn fetch(
    url: &str,
    allow_private: bool,
    limit: SizeLimit,
    pace: Pace,
) -> Result<LocalSource, StageError> {
    let guard = SsrfGuard::new(allow_private);
    // A proxy resolves names itself, without asking the guard: it is used only where all is allowed.
    let client = if allow_private { Client::builder() } else { Client::builder().no_proxy() };
    download(client, guard, url, limit, pace).await
}

async fn download(
    client: reqwest::ClientBuilder,
    guard: SsrfGuard,
    url: &str,
    limit: SizeLimit,
    pace: Pace,
) -> Result<LocalSource, StageError> {
    let url = Url::parse(url)
        .map_err(|error| StageError::bad_input(format!("{url} is no http or https address: {error}; check it")))?;
    let name = shown(&url);
    guard.check(&url).map_err(|refusal| refused(&name, &refusal))?;
    let client = build(client, guard)?;
    let answer = async { client.get(url).send().await.map_err(|error| failed(&name, error)) };
    let response = pace.answered(&name, answer).await?;
    check_status(&name, &response)?;
    if let Some(length) = response.content_length() {
        limit.check(&name, length)?;
    }
    let pieces = pace.keep(&name, response.bytes_stream().map_err(|error| failed(&name, error)));
    temporary::copy(pin!(pieces), &name, limit).await
}

fn build(client: reqwest::ClientBuilder, guard: SsrfGuard) -> Result<Client, StageError> {
    engine::tls::install_provider();
    client
        .redirect(guard.redirects())
        .dns_resolver(guard)
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .user_agent(concat!("longhand/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| {
            StageError::setup(format!("downloads cannot be set up on the ingestion worker: {}", chain(&error)))
        })
}

/// The URL without what may be secret in it: user, password and query.
pub(crate) fn shown(url: &Url) -> String {
    let mut shown = url.clone();
    shown.set_query(None);
    shown.set_fragment(None);
    // Addresses without a host have no user either, which is what the error would say.
    if shown.has_host() && shown.set_username("").is_ok() && shown.set_password(None).is_err() {
        return url.host_str().unwrap_or_default().to_owned();
    }
    shown.to_string()
}

fn check_status(name: &str, response: &Response) -> Result<(), StageError> {
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    if status.is_server_error() || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS) {
        return Err(StageError::transient(format!("{name} answers {status}; try again later")));
    }
    Err(StageError::bad_input(format!("{name} answers {status}; check that the address is right and public")))
}

fn refused(name: &str, refusal: &Refusal) -> StageError {
    StageError::bad_input(format!("{name} {refusal}"))
}

fn failed(name: &str, error: reqwest::Error) -> StageError {
    let error = error.without_url();
    if let Some(refusal) = refusal_in(&error) {
        return refused(name, refusal);
    }
    let cause = chain(&error);
    if error.is_connect() {
        return StageError::transient(format!("{name} cannot be reached: {cause}; check the address and the network"));
    }
    StageError::transient(format!("the download of {name} broke off: {cause}; try again later"))
}

pub(crate) fn refusal_in<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Refusal> {
    error.downcast_ref().or_else(|| error.source().and_then(refusal_in))
}

/// What happened and why: the library's own message names the step only.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests;
