//! An image that comes out of a builder as a stream of bytes, for an engine elsewhere.

use std::sync::Mutex;

use bollard_buildkit_proto::moby::filesync::v1::{BytesMessage, file_send_server::FileSend};
use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tonic::{Request, Response, Status, Streaming};

/// Pieces of an image that wait for the engine that loads it.
const PIECES_IN_FLIGHT: usize = 16;

/// Where a session puts the image; once, for it has one solve.
pub(crate) struct ImageSink(pub(super) Mutex<Option<Sender<Bytes>>>);

pub(crate) fn image_pipe() -> (ImageSink, Receiver<Bytes>) {
    let (sender, receiver) = mpsc::channel(PIECES_IN_FLIGHT);
    (ImageSink(Mutex::new(Some(sender))), receiver)
}

#[tonic::async_trait]
impl FileSend for ImageSink {
    type DiffCopyStream = BoxStream<'static, Result<BytesMessage, Status>>;

    async fn diff_copy(
        &self,
        request: Request<Streaming<BytesMessage>>,
    ) -> Result<Response<Self::DiffCopyStream>, Status> {
        let sink = self.0.lock().map_err(|_| Status::internal("the sink is broken"))?.take();
        let sink = sink.ok_or_else(|| Status::already_exists("the image has been sent already"))?;
        let mut incoming = request.into_inner();
        // The answer ends when the last byte has been taken, which is what the daemon waits for.
        let taken = async move {
            while let Some(message) = incoming.message().await? {
                let gone = |_| Status::aborted("the engine that loads the image has gone");
                sink.send(Bytes::from(message.data)).await.map_err(gone)?;
            }
            Ok(())
        };
        let ended =
            futures_util::stream::once(taken).filter_map(|taken: Result<(), Status>| async { taken.err().map(Err) });
        Ok(Response::new(ended.boxed()))
    }
}
