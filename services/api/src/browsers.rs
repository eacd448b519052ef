//! What browsers are told and what their pages may do: a page of anybody's, open in a browser on
//! this network, must be able to neither read transcripts nor start jobs.

use std::{net::IpAddr, sync::Arc};

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
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/// Seconds for which a browser remembers what a page may do.
const REMEMBERED: u64 = 3600;

/// Which pages may use the service.
pub(crate) struct Pages {
    /// Origins that are allowed besides those of the service's own host.
    origins: Vec<String>,
    /// The service is for this machine alone and lets everybody in: it has to be called by a loopback name, so that
    /// no page gets at it by having its own name resolved to this machine.
    only_loopback: bool,
}

impl Pages {
    pub(crate) fn new(origins: &[String], only_loopback: bool) -> Arc<Self> {
        let origins = origins.iter().map(|origin| origin.trim_end_matches('/').to_owned()).collect();
        Arc::new(Self { origins, only_loopback })
    }

    /// Pages of the service's own host may, whatever their port: the web page is served beside the APIs.
    fn may(&self, origin: &HeaderValue, headers: &HeaderMap) -> bool {
        let Ok(origin) = origin.to_str() else { return false };
        let page = Url::parse(origin).ok();
        let page_host = page.as_ref().and_then(Url::host_str);
        let same_host = page_host.is_some() && page_host == host(headers).as_ref().and_then(Url::host_str);
        same_host || self.origins.iter().any(|allowed| allowed == origin || allowed == "*")
    }

    fn host_is_fine(&self, headers: &HeaderMap) -> bool {
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

/// Refuses what pages send without asking first, and adds the headers that keep browsers safe.
pub(crate) async fn guard(State(pages): State<Arc<Pages>>, request: Request, next: Next) -> Response {
    let mut response = match pages.check(&request) {
        Ok(()) => next.run(request).await,
        Err(refused) => refused.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(POLICY));
    response
}

impl Pages {
    fn check(&self, request: &Request) -> Result<(), ApiError> {
        let refused = |message: &str| ApiError::new(StatusCode::FORBIDDEN, ErrorKind::PermissionError, message);
        let headers = request.headers();
        if !self.host_is_fine(headers) {
            return Err(refused("this service is for its own machine: call it by localhost or a loopback address"));
        }
        let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
        match headers.get(ORIGIN) {
            Some(origin) if !safe && !self.may(origin, headers) => Err(refused(
                "pages of this origin may not use the service; LONGHAND_API_CORS_ORIGINS names those that may",
            )),
            _ => Ok(()),
        }
    }
}

/// Lets scripts of the allowed pages use the service.
pub(crate) fn cors(pages: Arc<Pages>) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(move |origin, request| pages.may(origin, &request.headers)))
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
        .max_age(std::time::Duration::from_secs(REMEMBERED))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header::HOST};

    use super::Pages;

    #[test]
    fn pages_of_the_same_host_and_named_ones_may() {
        let pages = Pages::new(&["https://example.org/".to_owned()], true);
        for (origin, host, may, fine) in [
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
            assert_eq!(pages.may(&HeaderValue::from_static(origin), &headers), may, "{origin} at {host}");
            assert_eq!(pages.host_is_fine(&headers), fine, "{host}");
        }
        assert!(Pages::new(&[], false).host_is_fine(&HeaderMap::from_iter([(HOST, "longhand".parse().unwrap())])));
    }
}
