//! One folder on its way to the engine: the list of its entries, and the bytes of those files that the engine asks for.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use bollard_buildkit_proto::fsutil::types::{Packet, Stat, packet::PacketType};
use prost::Message;
use tokio::{sync::mpsc::Sender, task::JoinHandle};
use tonic::{Status, Streaming};

use super::{Listing, SentLog, SharedDirectory};
use crate::buildkit::folder_walk::{Entry, Selection, walk};

const CHUNK: usize = 32 << 10;
const READ_FOR_ALL: u32 = 0o644;

type Outgoing = Sender<Result<Packet, Status>>;
/// The files that the engine may ask for, by their number in the list of entries.
type Listed = Arc<Mutex<BTreeMap<u32, PathBuf>>>;

#[derive(Clone)]
pub(super) struct Transfer {
    directory: SharedDirectory,
    listed: Listed,
    sender: Outgoing,
    sent: SentLog,
}

impl Transfer {
    pub(super) fn new(directory: SharedDirectory, sender: Outgoing, sent: SentLog) -> Transfer {
        Transfer { directory, listed: Listed::default(), sender, sent }
    }

    pub(super) async fn run(self, selection: Selection, mut incoming: Streaming<Packet>) {
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
