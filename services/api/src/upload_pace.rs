//! How slowly an upload may come. A client that sends a byte now and then would hold a connection for as long as it likes, and
//! a file in the store with it.

use std::time::Duration;

use axum::{
    body::{Body, BodyDataStream},
    extract::Request,
};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tokio::time::{Instant, timeout};

/// While the service has waited for so long, at least so many bytes come.
#[derive(Debug, Clone, Copy)]
struct Pace {
    stretch: Duration,
    least_bytes: usize,
}

/// 4 kB a second, as of sources that are fetched.
const UPLOADS: Pace = Pace { stretch: Duration::from_secs(60), least_bytes: 240_000 };

/// Fewer came.
#[derive(Debug, thiserror::Error)]
#[error("fewer than {least_bytes} bytes came in {} s", stretch.as_secs())]
pub(crate) struct TooSlow {
    stretch: Duration,
    least_bytes: usize,
}

/// The request, whose body ends with [`TooSlow`] where it comes too slowly.
pub(crate) async fn keep(request: Request) -> Request {
    request.map(|body| paced(body, UPLOADS))
}

fn paced(body: Body, pace: Pace) -> Body {
    let paced = Paced { body: body.into_data_stream(), pace, waited: Duration::ZERO, bytes: 0 };
    Body::from_stream(stream::unfold(paced, async |mut paced| Some((paced.next().await?, paced))))
}

struct Paced {
    body: BodyDataStream,
    pace: Pace,
    /// For the client: how long the store takes is not its fault.
    waited: Duration,
    /// That came meanwhile.
    bytes: usize,
}

impl Paced {
    async fn next(&mut self) -> Option<Result<Bytes, axum::BoxError>> {
        let Pace { stretch, least_bytes } = self.pace;
        let begun = Instant::now();
        let Ok(piece) = timeout(stretch.saturating_sub(self.waited), self.body.next()).await else {
            return Some(Err(TooSlow { stretch, least_bytes }.into()));
        };
        self.waited += begun.elapsed();
        self.bytes += piece.as_ref().and_then(|piece| piece.as_ref().ok()).map_or(0, Bytes::len);
        if self.bytes >= least_bytes {
            (self.waited, self.bytes) = (Duration::ZERO, 0);
        }
        piece.map(|piece| piece.map_err(Into::into))
    }
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, time::Duration};

    use axum::{body::Body, http::StatusCode};
    use bytes::Bytes;
    use futures_util::{StreamExt, stream};
    use tokio::time::sleep;

    use super::{Pace, paced};
    use crate::body_error;

    /// A body of as many pieces, each of which comes after a pause, and how it ends for somebody who rests after each.
    async fn received(pieces: usize, bytes: usize, pause: Duration, rest: Duration) -> Result<usize, StatusCode> {
        let pieces = stream::iter(0..pieces).then(move |_| async move {
            sleep(pause).await;
            Ok::<_, Infallible>(Bytes::from(vec![0; bytes]))
        });
        let pace = Pace { stretch: Duration::from_millis(200), least_bytes: 1000 };
        let mut body = paced(Body::from_stream(pieces), pace).into_data_stream();
        let mut received = 0;
        while let Some(piece) = body.next().await {
            received += piece.map_err(|error| body_error(&error).status())?.len();
            sleep(rest).await;
        }
        Ok(received)
    }

    #[tokio::test]
    async fn an_upload_that_trickles_ends_and_a_store_may_take_its_time() {
        let (none, short, long) = (Duration::ZERO, Duration::from_millis(20), Duration::from_millis(300));
        assert_eq!(received(usize::MAX, 1, short, none).await, Err(StatusCode::REQUEST_TIMEOUT));
        assert_eq!(received(3, 1, long, none).await, Err(StatusCode::REQUEST_TIMEOUT));
        assert_eq!(received(3, 1, none, long).await, Ok(3));
        assert_eq!(received(1_000, 1_000, none, none).await, Ok(1_000_000));
    }
}
