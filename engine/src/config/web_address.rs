//! What settings may say that are addresses of web servers.

use url::Url;

/// For `validate` of a setting to which paths are added.
pub(super) fn web_address(text: &impl AsRef<str>) -> Result<(), String> {
    let text = text.as_ref();
    let address = Url::parse(text).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none() && url.fragment().is_none()
    });
    let allowed = "give an address that begins with http:// or https://, such as https://longhand.example.org";
    address.map(drop).ok_or_else(|| format!("{text:?} is no address of a web server; {allowed}"))
}
