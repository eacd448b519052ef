//! The names by which a service may be called. A page of anybody's can have its own name resolved to this machine, and what
//! it then asks for comes with its own name: so other names than the service's are refused, with keys or without.

use std::net::IpAddr;

use axum::{
    extract::Request,
    http::{HeaderMap, header::HOST},
};
use engine::config::LinkSettings;
use url::{Host, Url};

/// Asked by orchestrators and load balancers, under whatever name. They tell nothing but how the service is.
const PROBES: [&str; 3] = ["/health", "/ready", "/live"];

/// The address of this machine at which a connection came in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReachedAt(pub(crate) IpAddr);

pub(crate) struct AllowedHosts {
    any: bool,
    /// As they stand in addresses, without ports.
    names: Vec<String>,
}

/// It is no host.
#[derive(Debug, thiserror::Error)]
#[error("LONGHAND_API_HOSTS names {0:?}, which is no host: give names such as longhand.example.org, or * for any")]
pub struct BadHost(String);

impl AllowedHosts {
    /// # Errors
    /// One of the names is none.
    pub(crate) fn new(named: &[String], links: &LinkSettings) -> Result<Self, BadHost> {
        let any = named.iter().any(|name| name == "*");
        let named = named.iter().filter(|name| *name != "*").map(|name| {
            let host = parse(name).and_then(|url| url.host_str().map(str::to_owned));
            host.ok_or_else(|| BadHost(name.clone()))
        });
        let public = [Some(&links.status_url), links.ingestion_url.as_ref()].into_iter().flatten();
        let public = public.filter_map(|url| Url::parse(url).ok()?.host_str().map(str::to_owned)).map(Ok);
        Ok(Self { any, names: named.chain(public).collect::<Result<_, _>>()? })
    }

    /// Clients that name no host are no browsers.
    pub(crate) fn allow(&self, request: &Request) -> bool {
        if self.any || PROBES.contains(&request.uri().path()) || !request.headers().contains_key(HOST) {
            return true;
        }
        let Some(url) = host(request.headers()) else { return false };
        let is_known = url.host_str().is_some_and(|host| self.names.iter().any(|name| name == host));
        let reached_at = request.extensions().get::<ReachedAt>();
        is_known || is_loopback(&url) || reached_at.is_some_and(|ReachedAt(own)| address(&url) == Some(*own))
    }
}

/// The host that the request was sent to, as an address whose scheme does not matter.
pub(crate) fn host(headers: &HeaderMap) -> Option<Url> {
    parse(headers.get(HOST)?.to_str().ok()?)
}

fn parse(host: &str) -> Option<Url> {
    let url = Url::parse(&format!("http://{host}")).ok()?;
    let is_host_alone =
        url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    is_host_alone.then_some(url)
}

/// Whether the address leads to the machine of whoever uses it.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        _ => address(url).is_some_and(|address| address.is_loopback()),
    }
}

fn address(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Domain(_) => None,
        Host::Ipv4(address) => Some(IpAddr::V4(address)),
        Host::Ipv6(address) => Some(IpAddr::V6(address).to_canonical()),
    }
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, extract::Request};
    use engine::config::LinkSettings;

    use super::{AllowedHosts, ReachedAt};

    fn links(status_url: &str) -> LinkSettings {
        let ingestion_url = Some("https://longhand.example.org/ingest".to_owned());
        LinkSettings { status_url: status_url.to_owned(), ingestion_url }
    }

    fn request(host: &str, path: &str) -> Request {
        let request = Request::get(path).header("host", host).extension(ReachedAt([10, 0, 3, 7].into()));
        request.body(Body::empty()).unwrap()
    }

    #[test]
    fn only_names_of_the_service_are_known() {
        let names = ["job-status-api".to_owned(), "Spare.Example.org:8443".to_owned()];
        let hosts = AllowedHosts::new(&names, &links("http://127.0.0.1:8001")).unwrap();
        for (host, is_allowed) in [
            ("127.0.0.1:8001", true),
            ("localhost:9999", true),
            ("a.localhost", true),
            ("[::1]:8000", true),
            ("127.8.8.8", true),
            ("longhand.example.org", true),
            ("LONGHAND.example.org:443", true),
            ("job-status-api:8001", true),
            ("spare.example.org", true),
            ("10.0.3.7:8001", true),
            ("[::ffff:10.0.3.7]:8001", true),
            ("10.0.3.8:8001", false),
            ("evil.com:8001", false),
            ("localhost.evil.com", false),
            ("longhand.example.org.evil.com", false),
            ("longhand.example.org@evil.com", false),
            ("evil.com/longhand.example.org", false),
            ("127.0.0.1.evil.com", false),
            ("", false),
        ] {
            assert_eq!(hosts.allow(&request(host, "/v1/jobs")), is_allowed, "{host}");
            assert!(hosts.allow(&request(host, "/ready")), "a probe may call it {host}");
        }
        assert!(hosts.allow(&Request::get("/v1/jobs").body(Body::empty()).unwrap()), "no browser omits it");
    }

    #[test]
    fn any_name_is_allowed_where_that_is_asked_for_and_what_is_none_is_refused() {
        let any = AllowedHosts::new(&["*".to_owned()], &links("http://127.0.0.1:8001")).unwrap();
        assert!(any.allow(&request("evil.com", "/v1/jobs")));
        for bad in ["", "https://example.org", "a b", "example.org/path", "user@example.org"] {
            assert!(AllowedHosts::new(&[bad.to_owned()], &links("http://127.0.0.1:8001")).is_err(), "{bad}");
        }
    }
}
