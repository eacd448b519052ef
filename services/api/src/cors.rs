//! Which web pages may use the service. A page of anybody's, open in a browser on this network, must be able to
//! neither read transcripts nor start jobs.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
        header::{
            ACCEPT_RANGES, AUTHORIZATION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
            LOCATION, ORIGIN, RANGE, REFERRER_POLICY, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
        },
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use tower_http::cors::{AllowOrigin, CorsLayer};
use url::Url;

use crate::{
    error::{ApiError, ErrorKind},
    hosts::{AllowedHosts, host, is_loopback},
};

/// What a page may load unless its handler says more. Swagger UI has its styles inline and images as data.
const CONTENT_POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/// How long a browser keeps the answer to a preflight request.
const PREFLIGHT_AGE: Duration = Duration::from_secs(3600);

/// Who may call the service, and by which name.
pub(crate) struct OriginPolicy {
    hosts: AllowedHosts,
    /// Origins that the settings name.
    named: Vec<String>,
    /// Where the web page is, as its users know it.
    page: Option<Url>,
}

impl OriginPolicy {
    pub(crate) fn new(hosts: AllowedHosts, named: &[String], status_url: &str) -> Arc<Self> {
        let named = named.iter().map(|origin| origin.trim_end_matches('/').to_ascii_lowercase()).collect();
        Arc::new(Self { hosts, named, page: Url::parse(status_url).ok() })
    }

    /// Allowed are the origins that are named, the service's own, and the web page's.
    fn allows_origin(&self, origin: &HeaderValue, headers: &HeaderMap) -> bool {
        let Ok(text) = origin.to_str() else { return false };
        if self.named.iter().any(|named| named == text || named == "*") {
            return true;
        }
        let Ok(origin) = Url::parse(text) else { return false };
        self.is_own(&origin, headers) || self.page.as_ref().is_some_and(|page| is_same_page(&origin, page))
    }

    /// Whether it is the service's own, or has its host and the page's port. Whoever ends TLS before the service knows
    /// the scheme, and nobody else does.
    fn is_own(&self, origin: &Url, headers: &HeaderMap) -> bool {
        let Some(mut own) = host(headers) else { return false };
        // Both are schemes of the web, so this does not fail.
        if own.host() != origin.host() || own.set_scheme(origin.scheme()).is_err() {
            return false;
        }
        let ports = [Some(&own), self.page.as_ref()].map(|url| url.and_then(Url::port_or_known_default));
        ports.contains(&origin.port_or_known_default())
    }

    fn check(&self, request: &Request) -> Result<(), ApiError> {
        let refused = |message: &str| ApiError::new(StatusCode::FORBIDDEN, ErrorKind::PermissionError, message);
        if !self.hosts.allow(request) {
            return Err(refused(
                "this service is not known by this name: call it by localhost on its own machine, or by the host of \
                 LONGHAND_STATUS_URL or LONGHAND_INGESTION_URL; LONGHAND_API_HOSTS names others",
            ));
        }
        match request.headers().get(ORIGIN) {
            Some(origin) if !self.allows_origin(origin, request.headers()) => Err(refused(
                "pages of this origin may not use the service; LONGHAND_API_CORS_ORIGINS names those that may",
            )),
            _ => Ok(()),
        }
    }
}

/// A page on this machine is the same one by whichever name of this machine it was opened.
fn is_same_page(origin: &Url, page: &Url) -> bool {
    let is_same_place = is_loopback(origin) && is_loopback(page) && origin.scheme() == page.scheme();
    origin.origin() == page.origin() || is_same_place && origin.port_or_known_default() == page.port_or_known_default()
}

/// Refuses what pages of others send, and adds the security headers.
pub(crate) async fn enforce(State(policy): State<Arc<OriginPolicy>>, request: Request, next: Next) -> Response {
    let mut response = match policy.check(&request) {
        Ok(()) => next.run(request).await,
        Err(refused) => refused.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(CONTENT_POLICY));
    response
}

/// Lets scripts of the allowed pages use the service.
pub(crate) fn layer(policy: Arc<OriginPolicy>) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(move |origin, request| policy.allows_origin(origin, &request.headers)))
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers([
            AUTHORIZATION,
            CONTENT_TYPE,
            RANGE,
            HeaderName::from_static("x-api-key"),
            HeaderName::from_static("x-request-id"),
            HeaderName::from_static("idempotency-key"),
            HeaderName::from_static("last-event-id"),
        ])
        .expose_headers([
            ACCEPT_RANGES,
            CONTENT_LENGTH,
            CONTENT_RANGE,
            LOCATION,
            RETRY_AFTER,
            HeaderName::from_static("x-longhand-job"),
            HeaderName::from_static("x-longhand-status"),
            HeaderName::from_static("x-request-id"),
        ])
        .max_age(PREFLIGHT_AGE)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header::HOST};
    use engine::config::LinkSettings;

    use super::{AllowedHosts, OriginPolicy};

    /// Of the page at `status_url`, with `https://Example.org/` named besides.
    fn policy(status_url: &str) -> std::sync::Arc<OriginPolicy> {
        let links = LinkSettings { status_url: status_url.to_owned(), ingestion_url: None };
        let hosts = AllowedHosts::new(&[], &links).unwrap();
        OriginPolicy::new(hosts, &["https://Example.org/".to_owned()], status_url)
    }

    #[test]
    fn the_page_and_named_origins_may_and_no_others() {
        let (local, public) = (policy("http://127.0.0.1:8001"), policy("https://status.example.org"));
        for (policy, origin, host, is_allowed) in [
            (&local, "http://127.0.0.1:8001", "127.0.0.1:8000", true),
            (&local, "http://localhost:8001", "127.0.0.1:8000", true),
            (&local, "http://127.0.0.1:8001", "localhost:8000", true),
            (&local, "http://[::1]:8001", "[::1]:8000", true),
            (&local, "http://127.0.0.1:8000", "127.0.0.1:8000", true),
            (&local, "http://10.0.3.7:8001", "10.0.3.7:8000", true),
            (&local, "http://10.0.3.7:8000", "10.0.3.7:8000", true),
            (&local, "https://example.org", "127.0.0.1:8000", true),
            (&local, "http://127.0.0.1:3000", "127.0.0.1:8000", false),
            (&local, "https://127.0.0.1:8001", "localhost:8000", false),
            (&local, "http://10.0.3.8:8001", "10.0.3.7:8000", false),
            (&local, "http://example.org", "127.0.0.1:8000", false),
            (&local, "https://example.org.evil.com", "127.0.0.1:8000", false),
            (&local, "http://evil.com:8001", "127.0.0.1:8000", false),
            (&local, "file://", "127.0.0.1:8000", false),
            (&local, "null", "127.0.0.1:8000", false),
            (&public, "https://status.example.org", "ingest.example.org", true),
            (&public, "https://status.example.org", "status.example.org", true),
            (&public, "https://ingest.example.org", "ingest.example.org", true),
            (&public, "http://status.example.org", "ingest.example.org", false),
            (&public, "https://status.example.org:8443", "ingest.example.org", false),
            (&public, "http://localhost:8001", "ingest.example.org", false),
        ] {
            let headers = HeaderMap::from_iter([(HOST, HeaderValue::from_static(host))]);
            let origin = HeaderValue::from_static(origin);
            assert_eq!(policy.allows_origin(&origin, &headers), is_allowed, "{origin:?} at {host}");
        }
    }
}
