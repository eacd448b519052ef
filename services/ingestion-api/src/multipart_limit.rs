//! A bound on the head of a form's part. The parser of forms buffers whatever has arrived, and searches for the end of a
//! part's head without a limit: a client could fill the memory with a head that has no end. So the body is handed to it
//! one piece at a time, and what it has taken without making anything of it is counted.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures_util::Stream;

/// Bytes that may arrive without any of them being parsed: pieces, and the head of a part.
const MAX_UNPARSED: usize = 256 * 1024;

/// More arrived than can be the head of a part.
#[derive(Debug, thiserror::Error)]
#[error("the head of a part is longer than {MAX_UNPARSED} bytes")]
pub(crate) struct HeadTooLong;

/// The bytes that have arrived and are not parsed yet.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unparsed(Arc<AtomicUsize>);

impl Unparsed {
    /// To be called whenever the parser has given something.
    pub(crate) fn reset(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

struct LimitedBody {
    body: BodyDataStream,
    unparsed: Unparsed,
    /// A piece was just given, so the parser is told that no other has arrived yet.
    yielding: bool,
}

/// The body with its limit, and the counter that has to be reset.
pub(crate) fn limited(body: Body) -> (Body, Unparsed) {
    let unparsed = Unparsed::default();
    let limited = LimitedBody { body: body.into_data_stream(), unparsed: unparsed.clone(), yielding: false };
    (Body::from_stream(limited), unparsed)
}

impl Stream for LimitedBody {
    type Item = Result<Bytes, axum::BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.yielding) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let Poll::Ready(piece) = Pin::new(&mut self.body).poll_next(context) else { return Poll::Pending };
        let Some(Ok(piece)) = piece else { return Poll::Ready(piece.map(|piece| piece.map_err(Into::into))) };
        self.yielding = true;
        let unparsed = self.unparsed.0.fetch_add(piece.len(), Ordering::Relaxed) + piece.len();
        if unparsed > MAX_UNPARSED {
            return Poll::Ready(Some(Err(HeadTooLong.into())));
        }
        Poll::Ready(Some(Ok(piece)))
    }
}
