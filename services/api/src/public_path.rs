//! The path below which a proxy shows the service, where it shares a host with the other one: the path of its public address.
//! Proxies need not take it off: the service does.

use axum::{
    Router,
    extract::Request,
    http::{Uri, uri::PathAndQuery},
};
use tower::{Layer, util::MapRequestLayer};
use url::Url;

/// The path of a public address, without a slash at its end; empty where the service has the host to itself.
pub(crate) fn of(public_url: &str) -> String {
    Url::parse(public_url).map(|url| url.path().trim_end_matches('/').to_owned()).unwrap_or_default()
}

/// The routes, below the path as well as without it.
pub(crate) fn below(path: String, routes: Router) -> Router {
    if path.is_empty() {
        return routes;
    }
    let inner = MapRequestLayer::new(move |mut request: Request| {
        if let Some(uri) = without(&path, request.uri()) {
            *request.uri_mut() = uri;
        }
        request
    });
    Router::new().fallback_service(inner.layer(routes))
}

/// `None` for what is not below the path.
fn without(path: &str, uri: &Uri) -> Option<Uri> {
    let rest = uri.path_and_query()?.as_str().strip_prefix(path)?;
    let rest = match rest.as_bytes().first() {
        Some(b'/') => rest.to_owned(),
        None | Some(b'?') => format!("/{rest}"),
        Some(_) => return None,
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(rest).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::{of, without};

    #[test]
    fn the_path_of_the_public_address_is_taken_off() {
        let path = of("https://longhand.example.org/ingest/");
        assert_eq!((path.as_str(), of("http://127.0.0.1:8000").as_str()), ("/ingest", ""));
        for (asked, expected) in [
            ("/ingest/v1/jobs?limit=1", Some("/v1/jobs?limit=1")),
            ("/ingest", Some("/")),
            ("/ingest?a", Some("/?a")),
            ("/ingest/ingest/a%2Fb", Some("/ingest/a%2Fb")),
            ("/ingestion", None),
            ("/v1/jobs", None),
        ] {
            let rest = without(&path, &asked.parse().unwrap()).map(|uri| uri.to_string());
            assert_eq!(rest.as_deref(), expected, "{asked}");
        }
    }
}
