//! Which web pages may use the service. A page of anybody's, open in a browser on this network, must be able to
//! neither read transcripts nor start jobs.

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
        header::{
            ACCEPT_RANGES, AUTHORIZATION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST,
            LOCATION, ORIGIN, RANGE, REFERRER_POLICY, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
        },
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use tower_http::cors::{AllowOrigin, CorsLayer};
use url::{Host, Url};

use crate::error::{ApiError, ErrorKind};

/// What a page may load unless its handler says more. Swagger UI has its styles inline and images as data.
const CONTENT_POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/// How long a browser keeps the answer to a preflight request.
const PREFLIGHT_AGE: Duration = Duration::from_secs(3600);

/// The origins whose pages may use the service.
pub(crate) struct OriginPolicy {
    /// Those that are allowed besides the service's own host.
    allowed: Vec<String>,
    /// The service is for this machine alone and lets everybody in: it has to be called by a loopback name, so that
    /// no page gets at it by having its own name resolved to this machine.
    only_loopback: bool,
}

impl OriginPolicy {
    pub(crate) fn new(origins: &[String], only_loopback: bool) -> Arc<Self> {
        let allowed = origins.iter().map(|origin| origin.trim_end_matches('/').to_owned()).collect();
        Arc::new(Self { allowed, only_loopback })
    }

    /// Pages of the service's own host are allowed, whatever their port: the web page is served beside the APIs.
    fn allows_origin(&self, origin: &HeaderValue, headers: &HeaderMap) -> bool {
        let Ok(origin) = origin.to_str() else { return false };
        let page = Url::parse(origin).ok();
        let page_host = page.as_ref().and_then(Url::host_str);
        let same_host = page_host.is_some() && page_host == host(headers).as_ref().and_then(Url::host_str);
        same_host || self.allowed.iter().any(|allowed| allowed == origin || allowed == "*")
    }

    fn allows_host(&self, headers: &HeaderMap) -> bool {
        if !self.only_loopback || !headers.contains_key(HOST) {
            return true;
        }
        host(headers).is_some_and(|url| match url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
            Some(Host::Ipv6(address)) => IpAddr::V6(address).to_canonical().is_loopback(),
            None => false,
        })
    }
}

/// The host that the request was sent to, as an address whose scheme does not matter.
fn host(headers: &HeaderMap) -> Option<Url> {
    Url::parse(&format!("http://{}", headers.get(HOST)?.to_str().ok()?)).ok()
}

/// Refuses what pages send without a preflight request, and adds the security headers.
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

impl OriginPolicy {
    fn check(&self, request: &Request) -> Result<(), ApiError> {
        let refused = |message: &str| ApiError::new(StatusCode::FORBIDDEN, ErrorKind::PermissionError, message);
        let headers = request.headers();
        if !self.allows_host(headers) {
            return Err(refused("this service is for its own machine: call it by localhost or a loopback address"));
        }
        let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
        match headers.get(ORIGIN) {
            Some(origin) if !safe && !self.allows_origin(origin, headers) => Err(refused(
                "pages of this origin may not use the service; LONGHAND_API_CORS_ORIGINS names those that may",
            )),
            _ => Ok(()),
        }
    }
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
            HeaderName::from_static("x-request-id"),
        ])
        .max_age(PREFLIGHT_AGE)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header::HOST};

    use super::OriginPolicy;

    #[test]
    fn pages_of_the_same_host_and_named_ones_may() {
        let policy = OriginPolicy::new(&["https://example.org/".to_owned()], true);
        for (origin, host, origin_allowed, host_allowed) in [
            ("http://127.0.0.1:8001", "127.0.0.1:8000", true, true),
            ("http://localhost:8001", "localhost:8000", true, true),
            ("http://[::1]:8001", "[::1]:8000", true, true),
            ("http://localhost:8001", "127.0.0.1:8000", false, true),
            ("https://example.org", "127.0.0.1:8000", true, true),
            ("https://example.org.evil.com", "127.0.0.1:8000", false, true),
            ("http://evil.com", "127.0.0.1:8000", false, true),
            ("null", "127.0.0.1:8000", false, true),
            ("http://evil.com:8000", "evil.com:8000", true, false),
            ("http://evil.com", "localhost.evil.com", false, false),
        ] {
            let headers = HeaderMap::from_iter([(HOST, HeaderValue::from_static(host))]);
            assert_eq!(
                policy.allows_origin(&HeaderValue::from_static(origin), &headers),
                origin_allowed,
                "{origin} at {host}"
            );
            assert_eq!(policy.allows_host(&headers), host_allowed, "{host}");
        }
        assert!(
            OriginPolicy::new(&[], false).allows_host(&HeaderMap::from_iter([(HOST, "longhand".parse().unwrap())]))
        );
    }
}
