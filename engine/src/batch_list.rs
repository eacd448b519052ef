//! The recordings of a batch, as they lie in the store: what all of its jobs have in common once, and the recordings in
//! pages, so that a long list is never in memory as a whole unless somebody asks for all of it.

use std::io;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    hash::hexadecimal,
    job::{JobOptions, JobRequest, Source},
    store::{Store, StoreError, keys},
};

/// One recording of a batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BatchRecording {
    /// The id of its job.
    pub id: String,
    /// What a person calls it: a file's path or an address. Empty where the source says the same.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    pub source: Source,
}

/// One job of a batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BatchEntry {
    /// The job's id.
    pub id: String,
    /// What a person calls its recording. Only shown.
    #[serde(default)]
    pub name: String,
    pub request: JobRequest,
}

/// A list in the store.
pub struct BatchList {
    options: JobOptions,
    total: u32,
    contents: Contents,
}

enum Contents {
    /// The folder of the pages, which is named after what is in them.
    Pages(String),
    /// A list of before there were pages.
    Whole(Vec<BatchEntry>),
}

/// What lies under the list's own key.
#[derive(Serialize, Deserialize)]
struct Head {
    options: JobOptions,
    total: u32,
    pages: String,
}

/// Recordings of a page: with names and addresses of the usual length they fit a payload.
const PAGE: usize = 100;

impl BatchList {
    /// Writes a list, replacing what was there.
    ///
    /// # Errors
    /// The store's, as for all that follow.
    pub fn write<'a>(
        store: &'a Store,
        batch: &'a str,
        options: &'a JobOptions,
        recordings: &'a [BatchRecording],
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let head = head(batch, options, recordings)?;
            for (page, recordings) in (0..).zip(recordings.chunks(PAGE)) {
                store.write_json(&keys::batch_page(&head.pages, page), &recordings).await?;
            }
            store.write_json(&keys::batch(batch), &head).await
        })
    }

    /// The list under a key; `None` where there is none.
    pub fn find<'a>(store: &'a Store, key: &'a str) -> BoxFuture<'a, Result<Option<Self>, StoreError>> {
        Box::pin(async move {
            let bytes = match store.read(key).await {
                Ok(bytes) => bytes,
                Err(StoreError::NotFound { .. }) => return Ok(None),
                Err(error) => return Err(error),
            };
            let list = if bytes.starts_with(b"[") {
                serde_json::from_slice(&bytes).map(Self::whole)
            } else {
                serde_json::from_slice(&bytes).map(Self::in_pages)
            };
            list.map(Some).map_err(|error| corrupt(key, &error))
        })
    }

    fn in_pages(Head { options, total, pages }: Head) -> Self {
        Self { options, total, contents: Contents::Pages(pages) }
    }

    fn whole(entries: Vec<BatchEntry>) -> Self {
        let total = u32::try_from(entries.len()).unwrap_or(u32::MAX);
        Self { options: JobOptions::default(), total, contents: Contents::Whole(entries) }
    }

    /// All recordings of a batch; `None` where there is no such list.
    pub fn recordings<'a>(
        store: &'a Store,
        batch: &'a str,
    ) -> BoxFuture<'a, Result<Option<Vec<BatchRecording>>, StoreError>> {
        Box::pin(async move {
            let Some(list) = Self::find(store, &keys::batch(batch)).await? else { return Ok(None) };
            let recording =
                |BatchEntry { id, name, request }: BatchEntry| BatchRecording { id, name, source: request.source };
            match list.contents {
                Contents::Whole(entries) => Ok(Some(entries.into_iter().map(recording).collect())),
                Contents::Pages(folder) => {
                    let mut recordings = Vec::new();
                    for page in 0..(list.total as usize).div_ceil(PAGE) {
                        let page: Vec<BatchRecording> = store.read_json(&keys::batch_page(&folder, page)).await?;
                        recordings.extend(page);
                    }
                    Ok(Some(recordings))
                }
            }
        })
    }

    /// Some entries from an offset on, and none at the list's end only.
    pub fn entries<'a>(&'a self, store: &'a Store, offset: u32) -> BoxFuture<'a, Result<Vec<BatchEntry>, StoreError>> {
        Box::pin(async move {
            if offset >= self.total {
                return Ok(Vec::new());
            }
            let (page, skipped) = (offset as usize / PAGE, offset as usize % PAGE);
            match &self.contents {
                Contents::Whole(entries) => Ok(entries.iter().skip(offset as usize).take(PAGE).cloned().collect()),
                Contents::Pages(folder) => {
                    let page: Vec<BatchRecording> = store.read_json(&keys::batch_page(folder, page)).await?;
                    Ok(page.into_iter().skip(skipped).map(|recording| self.entry(recording)).collect())
                }
            }
        })
    }

    fn entry(&self, BatchRecording { id, name, source }: BatchRecording) -> BatchEntry {
        let name = if name.is_empty() { source.to_string() } else { name };
        BatchEntry { id, name, request: self.options.request(source) }
    }

    /// Whether the list is of these recordings, with these options.
    pub fn is_of(&self, batch: &str, options: &JobOptions, recordings: &[BatchRecording]) -> bool {
        match &self.contents {
            Contents::Pages(folder) => head(batch, options, recordings).is_ok_and(|head| head.pages == *folder),
            Contents::Whole(entries) => {
                let named = entries.iter().map(|entry| (entry.id.clone(), entry.request.clone()));
                named.eq(recordings.iter().map(|known| (known.id.clone(), options.request(known.source.clone()))))
            }
        }
    }
}

fn head(batch: &str, options: &JobOptions, recordings: &[BatchRecording]) -> Result<Head, StoreError> {
    let key = keys::batch(batch);
    let mut hash = Hashed(Sha256::new());
    let hashed = serde_json::to_writer(&mut hash, options)
        .and_then(|()| recordings.iter().try_for_each(|recording| serde_json::to_writer(&mut hash, recording)));
    hashed.map_err(|error| corrupt(&key, &error))?;
    let pages = keys::batch_pages(batch, &hexadecimal(&hash.0.finalize()[..8]));
    Ok(Head { options: options.clone(), total: u32::try_from(recordings.len()).unwrap_or(u32::MAX), pages })
}

fn corrupt(key: &str, error: &serde_json::Error) -> StoreError {
    StoreError::Corrupt { key: key.to_owned(), reason: error.to_string() }
}

/// Hashes what is written to it.
struct Hashed(Sha256);

impl io::Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::{BatchEntry, BatchList, BatchRecording, JobOptions, PAGE, Source, Store, keys};
    use crate::{
        config::StoreSettings,
        job::{SpeechOptions, Webhook},
    };

    fn store(folder: &TempDir) -> Store {
        Store::open(&StoreSettings { url: Some(folder.path().display().to_string()) }).unwrap()
    }

    fn options() -> JobOptions {
        let speech = SpeechOptions { prompt: Some("Pfannkuchen".to_owned()), ..SpeechOptions::default() };
        let webhook = Some(Webhook { url: "https://example.org/done".to_owned() });
        JobOptions { speech, webhook, ..JobOptions::default() }
    }

    fn recordings(count: usize) -> Vec<BatchRecording> {
        let recording = |number| BatchRecording {
            id: format!("box.{number}"),
            name: if number % 2 == 0 { String::new() } else { format!("talk {number}") },
            source: Source::Url(format!("https://example.org/{number}.mp3")),
        };
        (0..count).map(recording).collect()
    }

    async fn all(list: &BatchList, store: &Store) -> Vec<BatchEntry> {
        let mut all = Vec::new();
        loop {
            let entries = list.entries(store, u32::try_from(all.len()).unwrap()).await.unwrap();
            if entries.is_empty() {
                return all;
            }
            assert!(entries.len() <= PAGE);
            all.extend(entries);
        }
    }

    #[tokio::test]
    async fn a_list_is_read_as_it_was_written_page_by_page() {
        let folder = TempDir::new().unwrap();
        let store = store(&folder);
        for count in [0, 1, PAGE, 2 * PAGE + 50] {
            let (options, written) = (options(), recordings(count));
            BatchList::write(&store, "box", &options, &written).await.unwrap();
            let list = BatchList::find(&store, &keys::batch("box")).await.unwrap().unwrap();
            let read = all(&list, &store).await;
            assert_eq!(read.len(), count);
            for (entry, recording) in read.iter().zip(&written) {
                assert_eq!((&entry.id, &entry.request), (&recording.id, &options.request(recording.source.clone())));
            }
            assert!(list.is_of("box", &options, &written));
            assert!(!list.is_of("box", &JobOptions::default(), &written));
            assert!(!list.is_of("box", &options, &recordings(count + 1)));
        }
        let list = BatchList::find(&store, &keys::batch("box")).await.unwrap().unwrap();
        let within = list.entries(&store, 3).await.unwrap();
        assert_eq!((within[0].name.as_str(), within[1].name.as_str()), ("talk 3", "https://example.org/4.mp3"));
        assert!(BatchList::find(&store, &keys::batch("none")).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_list_of_before_there_were_pages_is_read() {
        let folder = TempDir::new().unwrap();
        let store = store(&folder);
        let (options, recordings) = (options(), recordings(PAGE + 1));
        let entry = |recording: &BatchRecording| BatchEntry {
            id: recording.id.clone(),
            name: String::new(),
            request: options.request(recording.source.clone()),
        };
        let entries: Vec<BatchEntry> = recordings.iter().map(entry).collect();
        store.write_json(&keys::batch("old"), &entries).await.unwrap();
        let list = BatchList::find(&store, &keys::batch("old")).await.unwrap().unwrap();
        assert_eq!(all(&list, &store).await, entries);
        assert!(list.is_of("old", &options, &recordings));
        assert!(!list.is_of("old", &JobOptions::default(), &recordings));
    }
}
