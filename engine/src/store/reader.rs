//! An object for readers that block, such as parsers: they run on threads of their own.

use std::io::{self, BufReader, Read};

use bytes::{Buf, Bytes};
use futures_util::{StreamExt, stream::BoxStream};
use tokio::runtime::Handle;

use super::{Store, StoreError};

/// Bytes that are read at a time.
const BUFFER: usize = 64 * 1024;

impl Store {
    /// # Errors
    /// [`StoreError::NotFound`], or a failing store. What fails later is an error of the reader.
    pub(super) async fn reader(&self, key: &str) -> Result<Box<dyn Read + Send>, StoreError> {
        if let Some(file) = self.open_file(key).await? {
            return Ok(Box::new(BufReader::with_capacity(BUFFER, file)));
        }
        let pieces = self.stream(key).await?;
        let reader = PieceReader { pieces, piece: Bytes::new(), runtime: Handle::current() };
        Ok(Box::new(BufReader::with_capacity(BUFFER, reader)))
    }
}

/// Waits for the pieces of an object, which may come over the network.
struct PieceReader {
    pieces: BoxStream<'static, Result<Bytes, StoreError>>,
    piece: Bytes,
    runtime: Handle,
}

impl Read for PieceReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.piece.has_remaining() {
            match self.runtime.block_on(self.pieces.next()) {
                Some(piece) => self.piece = piece.map_err(io::Error::other)?,
                None => return Ok(0),
            }
        }
        let length = buffer.len().min(self.piece.remaining());
        self.piece.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}
