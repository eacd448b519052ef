//! Sends folders to the engine. The engine compares the list of entries with what it kept from
//! last time and asks for the bytes of those files only that differ.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use bollard_buildkit_proto::{
    fsutil::types::{Packet, Stat, packet::PacketType},
    moby::filesync::packet::file_sync_server::FileSync,
};
use prost::Message;
use tokio::{
    sync::mpsc::{self, Sender},
    task::JoinHandle,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming, metadata::MetadataMap};

use super::folder_walk::{Entry, Selection, walk};

const CHUNK: usize = 32 << 10;
const PACKETS_IN_FLIGHT: usize = 64;
const READ_FOR_ALL: u32 = 0o644;

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

type Outgoing = Sender<Result<Packet, Status>>;
/// The files that the engine may ask for, by their number in the list of entries.
type Listed = Arc<Mutex<BTreeMap<u32, PathBuf>>>;

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
        let transfer = Transfer { directory, listed: Listed::default(), sender, sent: self.sent.clone() };
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

#[derive(Clone)]
struct Transfer {
    directory: SharedDirectory,
    listed: Listed,
    sender: Outgoing,
    sent: SentLog,
}

impl Transfer {
    async fn run(self, selection: Selection, mut incoming: Streaming<Packet>) {
        let (requests, requested) = std::sync::mpsc::channel();
        let (lister, sender) = (self.clone(), self.clone());
        let listing = tokio::task::spawn_blocking(move || lister.list(&selection));
        let sending = tokio::task::spawn_blocking(move || requested.iter().try_for_each(|id| sender.send_file(id)));
        let done = tokio::try_join!(finished(listing), finished(sending), self.read(&mut incoming, requests));
        if let Err(error) = done {
            // The engine then fails the build with this message; if it is gone, nobody waits.
            drop(self.sender.send(Err(Status::internal(error.to_string()))).await);
        }
    }

    /// Passes on what the engine asks for, until it has everything. It never waits for files to
    /// be sent: the engine asks for thousands at once, and they must not pile up unread.
    async fn read(&self, incoming: &mut Streaming<Packet>, requests: std::sync::mpsc::Sender<u32>) -> io::Result<()> {
        while let Some(message) = incoming.message().await.map_err(io::Error::other)? {
            match message.r#type() {
                PacketType::PacketReq => requests.send(message.id).map_err(|_| engine_left())?,
                PacketType::PacketFin => return self.send(packet(PacketType::PacketFin, None, 0, Vec::new())).await,
                PacketType::PacketErr => {
                    return Err(io::Error::other(String::from_utf8_lossy(&message.data).into_owned()));
                }
                PacketType::PacketStat | PacketType::PacketData => {}
            }
        }
        Ok(())
    }

    /// Sends one packet per entry, then an empty one. Blocks.
    fn list(&self, selection: &Selection) -> io::Result<()> {
        let mut number = 0;
        let mut announce = |stat: Stat, file: Option<PathBuf>| {
            if let Some(file) = file {
                self.listed.lock().unwrap_or_else(PoisonError::into_inner).insert(number, file);
            }
            number += 1;
            self.send_blocking(packet(PacketType::PacketStat, Some(stat), 0, Vec::new()))
        };
        match &self.directory {
            SharedDirectory::Folder(root) => {
                let (at, mut entries) = (SystemTime::now(), Vec::new());
                walk(root, selection, &mut |entry| {
                    let file = entry.is_file().then(|| root.join(&entry.path));
                    announce(stat(&entry)?, file)?;
                    entries.push(entry);
                    Ok(())
                })?;
                let (root, selection) = (root.clone(), selection.clone());
                self.sent.add_listing(Listing { root, selection, at, entries });
            }
            SharedDirectory::InlineFile { name, content } => {
                let is_requested = selection.follow.is_empty() || selection.follow.contains(name);
                let size = i64::try_from(content.len()).map_err(io::Error::other)?;
                let stat = Stat { path: name.clone(), mode: READ_FOR_ALL, size, ..Stat::default() };
                if is_requested {
                    announce(stat, Some(PathBuf::from(name)))?;
                }
            }
        }
        self.send_blocking(packet(PacketType::PacketStat, None, 0, Vec::new()))
    }

    fn send_file(&self, number: u32) -> io::Result<()> {
        let path = self.listed.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
        let path =
            path.ok_or_else(|| io::Error::other(format!("the engine asked for file {number}, which was not listed")))?;
        match &self.directory {
            SharedDirectory::InlineFile { content, .. } => self.send_bytes(number, content.as_bytes())?,
            SharedDirectory::Folder(_) => self.send_content(number, &path)?,
        }
        self.send_blocking(packet(PacketType::PacketData, None, number, Vec::new()))
    }

    fn send_content(&self, number: u32, path: &Path) -> io::Result<()> {
        let failed = |error: io::Error| io::Error::other(format!("{}: {error}", path.display()));
        let mut file = File::open(path).map_err(failed)?;
        let mut chunk = vec![0; CHUNK];
        loop {
            match file.read(&mut chunk).map_err(failed)? {
                0 => return Ok(()),
                read => self.send_bytes(number, &chunk[..read])?,
            }
        }
    }

    fn send_bytes(&self, number: u32, bytes: &[u8]) -> io::Result<()> {
        bytes
            .chunks(CHUNK)
            .try_for_each(|chunk| self.send_blocking(packet(PacketType::PacketData, None, number, chunk.to_vec())))
    }

    fn send_blocking(&self, packet: Packet) -> io::Result<()> {
        self.sent.add_bytes(packet.encoded_len());
        self.sender.blocking_send(Ok(packet)).map_err(|_| engine_left())
    }

    async fn send(&self, packet: Packet) -> io::Result<()> {
        self.sent.add_bytes(packet.encoded_len());
        self.sender.send(Ok(packet)).await.map_err(|_| engine_left())
    }
}

/// Without owners, because a build must not depend on them.
fn stat(entry: &Entry) -> io::Result<Stat> {
    Ok(Stat {
        path: entry.path.clone(),
        mode: entry.mode,
        mod_time: entry.stamp.modified,
        size: i64::try_from(entry.size).map_err(io::Error::other)?,
        linkname: entry.link.clone(),
        ..Stat::default()
    })
}

async fn finished(task: JoinHandle<io::Result<()>>) -> io::Result<()> {
    task.await.map_err(io::Error::other)?
}

fn engine_left() -> io::Error {
    io::Error::other("the engine ended the transfer")
}

fn packet(kind: PacketType, stat: Option<Stat>, id: u32, data: Vec<u8>) -> Packet {
    Packet { r#type: kind.into(), stat, id, data }
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
