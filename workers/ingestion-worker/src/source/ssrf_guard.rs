//! Protection against server-side request forgery: where a download may go. It is checked for the first address, for
//! every redirect, and for what each name resolves to, so that a name gains nothing by resolving differently later.

use std::net::{IpAddr, SocketAddr};

use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect,
};

use super::address::is_public;

const MOST_REDIRECTS: usize = 5;

/// Why a download may not go on, as the rest of a sentence that began with the URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error(
        "leads to {host} in a private network; give a public address, or set LONGHAND_ALLOW_PRIVATE_URLS=true on the ingestion worker"
    )]
    Private { host: String },
    #[error("redirects more than {MOST_REDIRECTS} times; give the address at which the recording lies")]
    TooManyRedirects,
    #[error("is no http or https address; give one that is, or a path")]
    Scheme,
}

/// Which addresses a download may connect to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SsrfGuard {
    allowed: fn(IpAddr) -> bool,
}

impl SsrfGuard {
    pub(crate) fn new(allow_private: bool) -> Self {
        Self { allowed: if allow_private { |_| true } else { is_public } }
    }

    /// Checks a URL as far as it can be without resolving its host's name. The URL's parser has
    /// turned decimal, octal and hexadecimal hosts into addresses already.
    pub(crate) fn check(self, url: &Url) -> Result<(), Refusal> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Refusal::Scheme);
        }
        let host = url.host_str().unwrap_or_default();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        match address {
            Ok(address) if !(self.allowed)(address) => Err(Refusal::Private { host: host.to_owned() }),
            _ => Ok(()),
        }
    }

    pub(super) fn redirects(self) -> redirect::Policy {
        redirect::Policy::custom(move |attempt| {
            if attempt.previous().len() > MOST_REDIRECTS {
                return attempt.error(Refusal::TooManyRedirects);
            }
            match self.check(attempt.url()) {
                Ok(()) => attempt.follow(),
                Err(refusal) => attempt.error(refusal),
            }
        })
    }
}

impl Resolve for SsrfGuard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = *self;
        Box::pin(async move {
            let host = name.as_str().to_owned();
            // Port 0 stands for the port of the URL.
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            let allowed: Vec<SocketAddr> = found.into_iter().filter(|found| (guard.allowed)(found.ip())).collect();
            if allowed.is_empty() {
                return Err(Refusal::Private { host }.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
impl SsrfGuard {
    /// A guard that takes one loopback address for the public internet.
    pub(super) fn but_for_one_loopback_address() -> Self {
        Self { allowed: |address| address == IpAddr::from([127, 0, 0, 1]) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Refusal, SsrfGuard};

    #[test]
    fn hosts_are_seen_through_their_spellings() {
        let private = |host: &str| Err(Refusal::Private { host: host.to_owned() });
        for (url, verdict) in [
            ("https://example.com/talk.mp3", Ok(())),
            ("http://1.1.1.1/talk.mp3", Ok(())),
            ("http://[2606:4700::1111]/talk.mp3", Ok(())),
            ("http://127.0.0.1:8080/talk.mp3", private("127.0.0.1")),
            ("http://2130706433/", private("127.0.0.1")),
            ("http://0177.0.0.1/", private("127.0.0.1")),
            ("http://0x7f.1/", private("127.0.0.1")),
            ("http://127.1/", private("127.0.0.1")),
            ("http://0/", private("0.0.0.0")),
            ("http://[::1]/", private("[::1]")),
            ("http://[::ffff:169.254.169.254]/", private("[::ffff:a9fe:a9fe]")),
            ("http://user:secret@10.0.0.1/", private("10.0.0.1")),
            ("ftp://example.com/talk.mp3", Err(Refusal::Scheme)),
            ("file:///etc/passwd", Err(Refusal::Scheme)),
        ] {
            assert_eq!(SsrfGuard::new(false).check(&url.parse().unwrap()), verdict, "{url}");
        }
        assert_eq!(SsrfGuard::new(true).check(&"http://127.0.0.1/".parse().unwrap()), Ok(()));
    }
}
