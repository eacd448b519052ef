//! The certificates that an administrator added to this machine's, as one has to behind a proxy
//! that looks into TLS.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

const ADDED: &str = "/usr/local/share/ca-certificates";
const OF_THE_PACKAGE: &str = "/usr/share/ca-certificates";
const BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// Files for the folder of added certificates: those in this machine's own, and whatever else its
/// bundle holds that does not come with the distribution.
pub(super) fn of_the_administrator() -> BTreeMap<String, String> {
    let bundle = std::env::var_os("SSL_CERT_FILE").map_or_else(|| PathBuf::from(BUNDLE), PathBuf::from);
    beyond_the_package(Path::new(ADDED), Path::new(OF_THE_PACKAGE), &fs::read_to_string(bundle).unwrap_or_default())
}

fn beyond_the_package(added: &Path, of_the_package: &Path, bundle: &str) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut known: BTreeSet<String> =
        texts_below(of_the_package).iter().flat_map(|(_, text)| certificates(text)).collect();
    for (path, text) in texts_below(added) {
        known.extend(certificates(&text));
        let name = path.strip_prefix(added).unwrap_or(&path).to_string_lossy().replace('/', "-");
        files.insert(name, text);
    }
    let others = certificates(bundle).into_iter().filter(|certificate| !known.contains(certificate));
    files.extend(others.enumerate().map(|(number, text)| (format!("bundle-{number}.crt"), text)));
    files
}

/// Each with its first and its last line, and nothing around them.
fn certificates(text: &str) -> Vec<String> {
    let bodies = text.split(BEGIN).skip(1).filter_map(|rest| rest.split(END).next());
    bodies.map(|body| format!("{BEGIN}\n{}\n{END}\n", body.trim().replace('\r', ""))).collect()
}

fn texts_below(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(texts_below(&path));
        } else if path.extension().is_some_and(|ending| ending == "crt")
            && let Ok(text) = fs::read_to_string(&path)
        {
            found.push((path, text));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_added_is_carried() {
        let folder = tempfile::tempdir().unwrap();
        let certificate = |body: &str| format!("{BEGIN}\n{body}\n{END}\n");
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("package/mozilla/public.crt", &certificate("public"));
        write("added/proxy.crt", &certificate("proxy"));
        write("added/notes.txt", "no certificate");
        let bundle: String = ["public", "proxy", "stray"].map(certificate).concat();
        let found = beyond_the_package(&folder.path().join("added"), &folder.path().join("package"), &bundle);
        let expected = [("bundle-0.crt", certificate("stray")), ("proxy.crt", certificate("proxy"))];
        assert_eq!(found, expected.map(|(name, text)| (name.to_owned(), text)).into());
    }
}
