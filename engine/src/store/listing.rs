//! Going through many objects: what they are, and taking them away.

use std::{
    io,
    path::{Path as FilePath, PathBuf},
    time::SystemTime,
};

use futures_util::{StreamExt, TryStreamExt, future::BoxFuture, stream, stream::BoxStream};
use object_store::{ObjectStore, path::Path};

use super::{Store, StoreError, classify};

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

    /// What was begun in a folder and never came to its end; a listing does not show it. S3 keeps such parts, too, and
    /// its clients cannot list them: a rule of the bucket takes them away.
    ///
    /// # Errors
    /// The disk's.
    pub fn abandoned_parts(&self) -> BoxFuture<'_, Result<Vec<AbandonedPart>, StoreError>> {
        Box::pin(async move {
            let Some(root) = self.root()? else { return Ok(Vec::new()) };
            let walked = tokio::task::spawn_blocking(move || {
                let mut found = Vec::new();
                walk(&root, &root, &mut found).map(|()| found)
            });
            walked.await.unwrap_or_else(|failure| Err(failure.into())).map_err(|error| folder_failed("", error))
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

/// A folder's client writes `NAME#NUMBER`, and renames it in the end.
fn is_part(path: &FilePath) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let number = name.rsplit_once('#').map(|(_, number)| number).unwrap_or_default();
    !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit())
}

fn folder_failed(key: &str, source: io::Error) -> StoreError {
    classify(key, object_store::Error::Generic { store: "folder", source: source.into() })
}
