//! Going through many objects: what they are, and taking them away.

use std::{
    io,
    path::{Path as FilePath, PathBuf},
    time::{Duration, SystemTime},
};

use futures_util::{StreamExt, TryStreamExt, future::BoxFuture, stream, stream::BoxStream};
use object_store::{ObjectStore, path::Path};

use super::{Store, StoreError, classify, keys, writer::blocking};

/// An object as a listing tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    pub key: String,
    /// In bytes.
    pub size: u64,
    /// When it was last written.
    pub modified: SystemTime,
}

/// What a process that was killed left of an object that it was writing to a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AbandonedPart {
    /// Below the store's folder.
    pub path: PathBuf,
    /// In bytes.
    pub size: u64,
    pub modified: SystemTime,
}

impl Store {
    /// The objects below a folder, or all for the empty one, in no order.
    pub fn objects(&self, folder: &str) -> BoxStream<'static, Result<StoredObject, StoreError>> {
        let shown = folder.to_owned();
        let listed = self.objects.list(Some(&Path::from(folder)));
        let objects = listed.map_ok(|object| StoredObject {
            key: object.location.to_string(),
            size: object.size,
            modified: object.last_modified.into(),
        });
        objects.map_err(move |error| classify(&shown, error)).boxed()
    }

    /// Takes objects away. Those that are not there any more are none the worse.
    ///
    /// # Errors
    /// The store's; some are gone then, and some are not.
    pub fn delete_all(&self, keys: Vec<String>) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let Some(first) = keys.first().cloned() else { return Ok(()) };
            let locations = stream::iter(keys).map(|key| Ok(Path::from(key))).boxed();
            let mut deleted = self.objects.delete_stream(locations);
            while let Some(outcome) = deleted.next().await {
                match outcome {
                    Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                    Err(error) => return Err(classify(&first, error)),
                }
            }
            Ok(())
        })
    }

    /// The names of folders in a folder which begin so and are wanted, at most so many: those that have objects in them.
    ///
    /// # Errors
    /// The store's.
    pub fn folders_beginning<'a>(
        &'a self,
        parent: &'a str,
        beginning: &'a str,
        is_wanted: impl Fn(&str) -> bool + Send + 'a,
        most: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreError>> {
        Box::pin(async move {
            match self.root()? {
                Some(root) => self.folders_on_disk(&root, parent, beginning, is_wanted, most).await,
                None => self.folders_in_order(parent, beginning, is_wanted, most).await,
            }
        })
    }

    /// Without a look into folders of other names, which may be many.
    async fn folders_on_disk(
        &self,
        root: &FilePath,
        parent: &str,
        beginning: &str,
        is_wanted: impl Fn(&str) -> bool,
        most: usize,
    ) -> Result<Vec<String>, StoreError> {
        let failed = |error| folder_failed(parent, error);
        let mut entries = match tokio::fs::read_dir(root.join(parent)).await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed)?,
        };
        let mut found = Vec::new();
        while found.len() < most
            && let Some(entry) = entries.next_entry().await.map_err(failed)?
        {
            let Ok(name) = entry.file_name().into_string() else { continue };
            if name.starts_with(beginning)
                && is_wanted(&name)
                && !self.list(&format!("{parent}/{name}")).await?.is_empty()
            {
                found.push(name);
            }
        }
        Ok(found)
    }

    /// A bucket lists its objects in the order of their keys, from any key on.
    async fn folders_in_order(
        &self,
        parent: &str,
        beginning: &str,
        is_wanted: impl Fn(&str) -> bool,
        most: usize,
    ) -> Result<Vec<String>, StoreError> {
        let before = Path::from(format!("{parent}/{beginning}"));
        let mut listed = self.objects.list_with_offset(Some(&Path::from(parent)), &before);
        let mut found: Vec<String> = Vec::new();
        while let Some(object) = listed.try_next().await.map_err(|error| classify(parent, error))? {
            let key = object.location.as_ref();
            let name = key.strip_prefix(parent).and_then(|rest| rest.strip_prefix('/')?.split('/').next());
            let Some(name) = name.filter(|name| name.starts_with(beginning)) else { break };
            if is_wanted(name) && found.last().is_none_or(|last| last != name) {
                if found.len() == most {
                    break;
                }
                found.push(name.to_owned());
            }
        }
        Ok(found)
    }

    /// Takes a folder away, with those in it, as far as they are empty: in a bucket there are none. Where somebody writes
    /// into one meanwhile, it stays, or is made again by whoever writes.
    ///
    /// # Errors
    /// The disk's.
    pub fn remove_empty<'a>(&'a self, folder: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let Some(root) = self.root()? else { return Ok(()) };
            let place = root.join(folder);
            blocking(move || remove_empty(&place, &|_| true).map(drop))
                .await
                .map_err(|error| folder_failed(folder, error))
        })
    }

    /// The same for all folders of the jobs and recordings in which nothing has changed for so long: what a purge that was killed left, and
    /// every purge of versions before this one, has names of deleted jobs.
    ///
    /// # Errors
    /// The disk's.
    pub fn remove_old_empty(&self, min_age: Duration) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let Some(root) = self.root()? else { return Ok(()) };
            let now = SystemTime::now();
            let is_old = move |changed: SystemTime| now.duration_since(changed).is_ok_and(|age| age >= min_age);
            let of_jobs = keys::OF_JOBS.map(|folder| root.join(folder));
            let removed = blocking(move || of_jobs.iter().try_for_each(|folder| remove_empty_below(folder, &is_old)));
            removed.await.map_err(|error| folder_failed("", error))
        })
    }

    /// What was begun in a folder and never came to its end; a listing does not show it. S3 keeps such parts, too, and
    /// its clients cannot list them: a rule of the bucket takes them away.
    ///
    /// # Errors
    /// The disk's.
    pub fn abandoned_parts(&self) -> BoxFuture<'_, Result<Vec<AbandonedPart>, StoreError>> {
        Box::pin(async move {
            let Some(root) = self.root()? else { return Ok(Vec::new()) };
            let walked = blocking(move || {
                let mut found = Vec::new();
                walk(&root, &root, &mut found).map(|()| found)
            });
            walked.await.map_err(|error| folder_failed("", error))
        })
    }

    /// # Errors
    /// The disk's.
    pub async fn delete_part(&self, part: &AbandonedPart) -> Result<(), StoreError> {
        let Some(root) = self.root()? else { return Ok(()) };
        match tokio::fs::remove_file(root.join(&part.path)).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(folder_failed(&part.path.to_string_lossy(), error))
            }
            _ => Ok(()),
        }
    }

    fn root(&self) -> Result<Option<PathBuf>, StoreError> {
        let Some(folder) = &self.folder else { return Ok(None) };
        // The client tells where an object would be, and not where the folder itself is.
        let inside = folder.path_to_filesystem(&Path::from("any")).map_err(|error| classify("", error))?;
        Ok(inside.parent().map(FilePath::to_owned))
    }
}

fn walk(root: &FilePath, folder: &FilePath, found: &mut Vec<AbandonedPart>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        // Others work in the folder, and a part may come to its end at any moment.
        let Ok(metadata) = entry.metadata() else { continue };
        let path = entry.path();
        if metadata.is_dir() {
            match walk(root, &path, found) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        } else if is_part(&path) {
            let modified = metadata.modified()?;
            let path = path.strip_prefix(root).unwrap_or(&path).to_owned();
            found.push(AbandonedPart { path, size: metadata.len(), modified });
        }
    }
    Ok(())
}

/// Whether the folder is gone. What is not empty stays, for `rmdir` takes nothing else.
fn remove_empty(folder: &FilePath, may_go: &dyn Fn(SystemTime) -> bool) -> io::Result<bool> {
    let opened = std::fs::symlink_metadata(folder).and_then(|metadata| {
        let entries = if metadata.is_dir() { Some(std::fs::read_dir(folder)?) } else { None };
        Ok((metadata.modified()?, entries))
    });
    let (changed, entries) = match opened {
        Ok((changed, Some(entries))) => (changed, entries),
        Ok((_, None)) => return Ok(false),
        Err(error) => return gone_already(error),
    };
    for entry in entries {
        if !remove_empty(&entry?.path(), may_go)? {
            return Ok(false);
        }
    }
    if !may_go(changed) {
        return Ok(false);
    }
    match std::fs::remove_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(false),
        Err(error) => gone_already(error),
        Ok(()) => Ok(true),
    }
}

fn gone_already(error: io::Error) -> io::Result<bool> {
    if error.kind() == io::ErrorKind::NotFound { Ok(true) } else { Err(error) }
}

fn remove_empty_below(topmost: &FilePath, may_go: &dyn Fn(SystemTime) -> bool) -> io::Result<()> {
    match std::fs::read_dir(topmost) {
        Ok(mut entries) => entries.try_for_each(|entry| remove_empty(&entry?.path(), may_go).map(drop)),
        Err(error) => gone_already(error).map(drop),
    }
}

/// A folder's client writes `NAME#NUMBER`, and renames it in the end.
fn is_part(path: &FilePath) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let number = name.rsplit_once('#').map(|(_, number)| number).unwrap_or_default();
    !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit())
}

fn folder_failed(key: &str, source: io::Error) -> StoreError {
    classify(key, object_store::Error::Generic { store: "folder", source: source.into() })
}
