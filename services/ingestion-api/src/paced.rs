//! A body that is read one piece at a time. The parser of forms takes whatever is there, and looks for the end of a
//! part's head for ever: without a bound a client could fill the memory with a head that has no end.

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

/// Bytes that may come without any of them being used: pieces, and the head of a part.
const MOST_UNUSED: usize = 256 * 1024;

/// More came than can be the head of a part.
#[derive(Debug, thiserror::Error)]
#[error("the head of a part is longer than {MOST_UNUSED} bytes")]
pub(crate) struct HeadTooLong;

/// What has come and was not used yet.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unused(Arc<AtomicUsize>);

impl Unused {
    /// Something was made of it.
    pub(crate) fn used(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

struct Paced {
    body: BodyDataStream,
    unused: Unused,
    /// A piece was just given, so that nothing is there for now.
    resting: bool,
}

/// The body, and what has to be told whenever something was made of it.
pub(crate) fn paced(body: Body) -> (Body, Unused) {
    let unused = Unused::default();
    let paced = Paced { body: body.into_data_stream(), unused: unused.clone(), resting: false };
    (Body::from_stream(paced), unused)
}

impl Stream for Paced {
    type Item = Result<Bytes, axum::BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.resting) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let Poll::Ready(piece) = Pin::new(&mut self.body).poll_next(context) else { return Poll::Pending };
        let Some(Ok(piece)) = piece else { return Poll::Ready(piece.map(|piece| piece.map_err(Into::into))) };
        self.resting = true;
        let unused = self.unused.0.fetch_add(piece.len(), Ordering::Relaxed) + piece.len();
        if unused > MOST_UNUSED {
            return Poll::Ready(Some(Err(HeadTooLong.into())));
        }
        Poll::Ready(Some(Ok(piece)))
    }
}
