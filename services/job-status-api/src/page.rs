//! The web page, which comes out of the program: `/`, and what it is made of below `/page/`.

use api::{ApiError, Path};
use axum::{
    Json, Router,
    http::{
        HeaderMap, StatusCode,
        header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HOST},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use engine::config::{INGESTION_API_PORT, LinkSettings};
use include_dir::{Dir, include_dir};
use serde::Serialize;
use url::Url;

use crate::etag;

static FILES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/page");

/// What the page has to know of its config.
#[derive(Debug, Clone, Serialize)]
struct PageConfig {
    /// Where recordings are uploaded; null is port 8000 of the page's own host.
    ingestion_url: Option<String>,
}

pub(crate) fn routes(links: &LinkSettings) -> Router {
    let config = PageConfig { ingestion_url: links.ingestion_url.clone() };
    let ingestion_url = links.ingestion_url.clone();
    let index = |headers: HeaderMap| async move {
        let policy = [(CONTENT_SECURITY_POLICY, policy(ingestion_url.as_deref(), &headers))];
        (policy, file("index.html", &headers)).into_response()
    };
    Router::new()
        .route("/", get(index))
        .route("/page/{name}", get(|Path(name): Path<String>, headers: HeaderMap| async move { file(&name, &headers) }))
        .route("/page.json", get(|| async { Json(config) }))
}

/// The page's scripts and styles are files of its own. Recordings go to the ingestion API, and those on the web are
/// played from there.
fn policy(ingestion_url: Option<&str>, headers: &HeaderMap) -> String {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = host.and_then(|host| Url::parse(&format!("http://{host}")).ok()?.host_str().map(str::to_owned));
    let ingestion = match (ingestion_url, host) {
        (Some(url), _) => Url::parse(url).map(|url| url.origin().ascii_serialization()).unwrap_or_default(),
        (None, Some(host)) => format!("http://{host}:{INGESTION_API_PORT} https://{host}:{INGESTION_API_PORT}"),
        (None, None) => String::new(),
    };
    format!(
        "default-src 'self'; connect-src 'self' {ingestion}; media-src 'self' blob: http: https:; img-src 'self' data:; \
         frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    )
}

fn file(name: &str, headers: &HeaderMap) -> Result<Response, ApiError> {
    let file = FILES.get_file(name).ok_or_else(|| ApiError::not_found(format!("the page has no {name}")))?;
    let tag = etag::of_content(file.contents());
    // Another version of the program has other files under the same names.
    let caching = [(ETAG, tag.clone()), (CACHE_CONTROL, "no-cache".to_owned())];
    if etag::matches(&tag, headers) {
        return Ok((StatusCode::NOT_MODIFIED, caching).into_response());
    }
    Ok((caching, [(CONTENT_TYPE, content_type(name))], file.contents()).into_response())
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}
