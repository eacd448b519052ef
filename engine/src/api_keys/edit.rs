//! Adding keys to the file and taking them out, while services read it: they find what was there or what is there now.

use std::{
    fs::{self, File, Metadata},
    io::{self, Write},
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{ADMIN, ApiKey, ApiKeys, BadLine, KeysError, lines, read};
use crate::{hash::hexadecimal, ids::Tenant, secret::Secret};

/// What every key that is made here begins with, so that whoever finds one knows what it is.
const PREFIX: &str = "lh_";

/// Makes a key and adds its line; a file that is not there is made. Without a tenant the key opens the jobs of all. The
/// key is nowhere but in what is returned.
///
/// # Errors
/// A name that is taken or cannot stand in a line, and a file that cannot be read or written.
pub fn add(file: &Path, name: &str, tenant: Option<&Tenant>) -> Result<Secret, KeysError> {
    let key = Secret::new(format!("{PREFIX}{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple()));
    let hash = hexadecimal(&Sha256::digest(key.expose()));
    let line = format!("{name} {} {hash}", tenant.map_or(ADMIN, Tenant::as_str));
    let read_back = if name.starts_with('#') { Err(BadLine::Words) } else { ApiKey::parse(&line) };
    let bad_name = |wrong| KeysError::BadName { name: name.to_owned(), wrong };
    if read_back.map_err(bad_name)?.name != name {
        return Err(bad_name(BadLine::Words));
    }
    change(file, |text| {
        let text = if text.is_empty() || text.ends_with('\n') { text } else { text + "\n" };
        Ok(format!("{text}{line}\n"))
    })?;
    Ok(key)
}

/// Takes out the line of a name.
///
/// # Errors
/// A name that is not there, and a file that cannot be read or written.
pub fn revoke(file: &Path, name: &str) -> Result<(), KeysError> {
    change(file, |text| {
        let line = lines(&text).find(|(_, line)| line.split_whitespace().next() == Some(name));
        let (position, _) =
            line.ok_or_else(|| KeysError::NoSuchName { file: file.display().to_string(), name: name.to_owned() })?;
        let kept = text.lines().enumerate().filter(|(other, _)| *other != position);
        Ok(kept.map(|(_, line)| format!("{line}\n")).collect())
    })
}

/// Only what services can read replaces what was there.
fn change(file: &Path, edit: impl FnOnce(String) -> Result<String, KeysError>) -> Result<(), KeysError> {
    let unwritable =
        |error: io::Error| KeysError::Unwritable { file: file.display().to_string(), reason: error.to_string() };
    // A link stays one, and what it leads to is replaced.
    let file = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    // Held until this returns: of two changes at once the second finds what the first has written.
    let _lock = lock(&folder(&file)).map_err(unwritable)?;
    let before = fs::metadata(&file).ok();
    let text = if before.is_some() { read(&file)? } else { String::new() };
    let text = edit(text)?;
    ApiKeys::parse(&text, &file)?;
    replace(&file, &text, before.as_ref()).map_err(unwritable)
}

fn folder(file: &Path) -> PathBuf {
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new(".")).to_owned()
}

fn lock(folder: &Path) -> io::Result<File> {
    let folder = File::open(folder)?;
    folder.lock()?;
    Ok(folder)
}

/// The file keeps its owner and who may read it: services have a user of their own.
fn replace(file: &Path, text: &str, before: Option<&Metadata>) -> io::Result<()> {
    const OWNER_ALONE: u32 = 0o600;
    let folder = folder(file);
    let mode = before.map_or(OWNER_ALONE, |before| before.mode() & 0o777);
    let permissions = fs::Permissions::from_mode(mode);
    let mut replacement = tempfile::Builder::new().prefix(".longhand-keys-").tempfile_in(&folder)?;
    if let Some(before) = before {
        let made = replacement.as_file().metadata()?;
        if (made.uid(), made.gid()) != (before.uid(), before.gid()) {
            chown(replacement.path(), Some(before.uid()), Some(before.gid()))?;
        }
    }
    replacement.as_file().set_permissions(permissions)?;
    replacement.write_all(text.as_bytes())?;
    replacement.as_file().sync_all()?;
    replacement.persist(file)?;
    File::open(&folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt, thread};

    use tempfile::TempDir;

    use super::{add, revoke};
    use crate::api_keys::ApiKeys;

    #[test]
    fn keys_come_and_go_and_the_rest_of_the_file_stays() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("keys");
        let acme = "acme".parse().unwrap();
        let anna = add(&file, "anna", Some(&acme)).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(&file, format!("# who may\n{}\n# the end", fs::read_to_string(&file).unwrap())).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        let root = add(&file, "root", None).unwrap();

        let keys = ApiKeys::read(&file).unwrap();
        assert_eq!(keys.find(anna.expose()).unwrap().tenant, Some(acme));
        assert_eq!(keys.find(root.expose()).unwrap().tenant, None);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o644, "readable by whom it was");

        revoke(&file, "anna").unwrap();
        let keys = ApiKeys::read(&file).unwrap();
        assert!(keys.find(anna.expose()).is_none() && keys.find(root.expose()).is_some());
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("# who may\n\n# the end\nroot * ") && !text.contains(root.expose()), "{text}");
        revoke(&file, "root").unwrap();
        assert!(ApiKeys::read(&file).unwrap().is_empty());
    }

    #[test]
    fn what_services_could_not_read_is_not_written() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("keys");
        add(&file, "anna", None).unwrap();
        let text = fs::read_to_string(&file).unwrap();
        for (name, complaint) in [
            ("anna", "the name anna twice"),
            ("", "names no key"),
            ("a b", "names no key"),
            ("#a", "names no key"),
            ("a\nb", "names no key"),
        ] {
            let error = add(&file, name, None).unwrap_err().to_string();
            assert!(error.contains(complaint), "{name:?}: {error}");
        }
        let error = revoke(&file, "bert").unwrap_err().to_string();
        assert!(error.contains("have no name bert"), "{error}");
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
        fs::write(&file, "anna\n").unwrap();
        assert!(
            add(&file, "bert", None).unwrap_err().to_string().contains("line 1"),
            "a broken file is left to a person"
        );
    }

    #[test]
    fn of_changes_at_once_none_is_lost() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("keys");
        let adding = (0..8).map(|number| {
            let file = file.clone();
            thread::spawn(move || add(&file, &format!("key-{number}"), None).unwrap())
        });
        adding.collect::<Vec<_>>().into_iter().for_each(|added| drop(added.join().unwrap()));
        assert_eq!(ApiKeys::read(&file).unwrap().iter().count(), 8);
    }
}
