//! Sends folders to the engine. The engine compares the list of entries with what it kept from
//! last time and asks for the bytes of those files only that differ.

mod transfer;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use bollard_buildkit_proto::{fsutil::types::Packet, moby::filesync::packet::file_sync_server::FileSync};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming, metadata::MetadataMap};

use super::folder_walk::{Entry, Selection};
use transfer::Transfer;

const PACKETS_IN_FLIGHT: usize = 64;

/// What went out over any number of sessions.
#[derive(Debug, Clone, Default)]
pub(crate) struct SentLog {
    bytes: Arc<AtomicU64>,
    listings: Arc<Mutex<Vec<Arc<Listing>>>>,
}

/// What the engine was told about a folder. What it knows of the folder's files is in here, for it
/// asks only for the bytes of those that are listed otherwise than before.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) root: PathBuf,
    pub(crate) selection: Selection,
    /// When the reading began.
    pub(crate) at: SystemTime,
    pub(crate) entries: Vec<Entry>,
}

impl SentLog {
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// All listings so far of these folders.
    pub(crate) fn listings(&self, roots: &[PathBuf]) -> Vec<Arc<Listing>> {
        let listings = self.listings.lock().unwrap_or_else(PoisonError::into_inner);
        listings.iter().filter(|listing| roots.contains(&listing.root)).cloned().collect()
    }

    fn add_bytes(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn add_listing(&self, listing: Listing) {
        self.listings.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::new(listing));
    }
}

/// A folder that a session offers to the engine.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum SharedDirectory {
    Folder(PathBuf),
    /// One file that exists in memory only.
    InlineFile {
        name: String,
        content: String,
    },
}

pub(super) struct SharedDirectories {
    pub(super) by_name: BTreeMap<String, SharedDirectory>,
    pub(super) sent: SentLog,
}

#[tonic::async_trait]
impl FileSync for SharedDirectories {
    type DiffCopyStream = ReceiverStream<Result<Packet, Status>>;
    type TarStreamStream = ReceiverStream<Result<Packet, Status>>;

    async fn diff_copy(&self, request: Request<Streaming<Packet>>) -> Result<Response<Self::DiffCopyStream>, Status> {
        let name = values(request.metadata(), "dir-name")?.pop().unwrap_or_default();
        let directory = self
            .by_name
            .get(&name)
            .cloned()
            .ok_or_else(|| Status::not_found(format!("no access allowed to dir {name:?}")))?;
        let selection = Selection {
            include: values(request.metadata(), "include-patterns")?,
            exclude: values(request.metadata(), "exclude-patterns")?,
            follow: values(request.metadata(), "followpaths")?,
        };
        let (sender, receiver) = mpsc::channel(PACKETS_IN_FLIGHT);
        let transfer = Transfer::new(directory, sender, self.sent.clone());
        tokio::spawn(transfer.run(selection, request.into_inner()));
        Ok(Response::new(ReceiverStream::new(receiver)))
    }

    async fn tar_stream(
        &self,
        _request: Request<Streaming<Packet>>,
    ) -> Result<Response<Self::TarStreamStream>, Status> {
        Err(Status::unimplemented("folders are sent by difference only"))
    }
}

/// BuildKit marks a header whose values it had to escape with a second one.
fn values(metadata: &MetadataMap, key: &str) -> Result<Vec<String>, Status> {
    let escaped = metadata.contains_key(format!("{key}-encoded"));
    metadata
        .get_all(key)
        .iter()
        .map(|value| {
            let text = value.to_str().map_err(|error| Status::invalid_argument(error.to_string()))?;
            Ok(if escaped { unescaped(text) } else { text.to_owned() })
        })
        .collect()
}

fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let code = tail.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        (bytes, rest) = match (first, code) {
            (b'%', Some(code)) => (push(bytes, code), &tail[2..]),
            (b'+', _) => (push(bytes, b' '), tail),
            (other, _) => (push(bytes, *other), tail),
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn push(mut bytes: Vec<u8>, byte: u8) -> Vec<u8> {
    bytes.push(byte);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_header_values_are_restored() {
        let mut metadata = MetadataMap::new();
        metadata.append("followpaths", "na%C3%AFve+file%2Btxt".parse().unwrap());
        assert_eq!(values(&metadata, "followpaths").unwrap(), ["na%C3%AFve+file%2Btxt"]);
        metadata.append("followpaths-encoded", "1".parse().unwrap());
        assert_eq!(values(&metadata, "followpaths").unwrap(), ["naïve file+txt"]);
    }
}
