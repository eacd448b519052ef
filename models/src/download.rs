//! One file over HTTP, continued where an earlier attempt stopped.

use std::{error::Error, path::Path, time::Duration};

use futures_util::StreamExt;
use reqwest::{Client, Response, StatusCode, header};
use tokio::{
    fs::File,
    io::{AsyncSeekExt, AsyncWriteExt, SeekFrom},
    time::Instant,
};

use super::{
    event::{Events, FetchEvent},
    pin::Pin,
    refusal::Refusal,
};

/// A server that does not answer by then is taken for unreachable, so that the next source gets its turn.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// A transfer that gives less than so many bytes in a second, over the stall limit, has stalled.
const LEAST_BYTES_PER_SECOND: u64 = 1000;
/// How often a transfer that was cut is continued before the source is given up.
const CONTINUATIONS: u32 = 8;

/// Fetches the address into `part` and verifies it. What an interrupted call left in `part` is kept and continued.
///
/// A transfer that stalls is given up, and what came of it is kept for the next call.
pub(super) async fn download(
    url: &str,
    pin: &Pin,
    part: &Path,
    stall_limit: Duration,
    events: Events<'_>,
) -> Result<(), Refusal> {
    let client = client()?;
    for continuation in 0..=CONTINUATIONS {
        let have = length_of(part);
        if pin.size.is_some_and(|size| have >= size) {
            break;
        }
        let Err(refusal) = receive(&client, url, pin.size, part, stall_limit, events).await else { break };
        // A server that gave nothing at all is not asked again.
        if refusal.is_stalled() || length_of(part) <= have || continuation == CONTINUATIONS {
            return Err(refusal);
        }
    }
    events(FetchEvent::Verifying);
    pin.verify(part).await
}

/// Receives what `part` still lacks, or all of it where the server cannot continue.
async fn receive(
    client: &Client,
    url: &str,
    size: Option<u64>,
    part: &Path,
    stall_limit: Duration,
    events: Events<'_>,
) -> Result<(), Refusal> {
    let have = length_of(part);
    let mut request = client.get(url);
    if have > 0 {
        request = request.header(header::RANGE, format!("bytes={have}-"));
    }
    let pace = Pace::new(stall_limit);
    let answered = pace.within(request.send()).await?;
    let response = answered.map_err(|error| Refusal::passing(root_cause(&error)))?;
    let start = match response.status() {
        StatusCode::PARTIAL_CONTENT => have,
        StatusCode::OK => 0,
        // Nothing follows what is here: the digest decides whether that is all of it.
        StatusCode::RANGE_NOT_SATISFIABLE => return Ok(()),
        status if may_pass(status) => return Err(Refusal::passing(format!("the server answered {status}"))),
        status => return Err(Refusal::new(format!("the server answered {status}"))),
    };
    let total = size.or_else(|| response.content_length().map(|rest| start + rest));
    let mut file = File::options().create(true).truncate(false).write(true).open(part).await?;
    file.set_len(start).await?;
    file.seek(SeekFrom::Start(start)).await?;
    let copied = copy(response, &mut file, start, total, pace, events).await;
    // What came before a cut is the start of the next attempt.
    file.flush().await?;
    copied
}

async fn copy(
    response: Response,
    file: &mut File,
    mut done: u64,
    total: Option<u64>,
    mut pace: Pace,
    events: Events<'_>,
) -> Result<(), Refusal> {
    events(FetchEvent::Progress { done, total });
    let mut pieces = response.bytes_stream();
    while let Some(piece) = pace.within(pieces.next()).await? {
        let piece =
            piece.map_err(|error| Refusal::passing(format!("cut off after {done} bytes: {}", root_cause(&error))))?;
        pace.note(piece.len() as u64);
        // Of a server that sends more than what is expected, that much is taken: the digest decides about it.
        let wanted = total.map_or(piece.len(), |total| piece.len().min((total - done) as usize));
        file.write_all(&piece[..wanted]).await?;
        done += wanted as u64;
        events(FetchEvent::Progress { done, total });
        if total == Some(done) {
            break;
        }
    }
    Ok(())
}

fn client() -> Result<Client, Refusal> {
    engine::tls::install_provider();
    let builder = Client::builder().connect_timeout(CONNECT_TIMEOUT);
    builder.build().map_err(|error| Refusal::new(root_cause(&error)))
}

/// Whether the server may answer otherwise later.
fn may_pass(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
}

/// Tells a slow transfer from one that has stalled.
struct Pace {
    limit: Duration,
    since: Instant,
    received: u64,
}

impl Pace {
    fn new(limit: Duration) -> Self {
        Self { limit, since: Instant::now(), received: 0 }
    }

    /// Waits for something of the transfer, at most until that has stalled.
    async fn within<T>(&self, awaited: impl Future<Output = T>) -> Result<T, Refusal> {
        let received = tokio::time::timeout_at(self.since + self.limit, awaited).await;
        received.map_err(|_| {
            let (bytes, seconds) = (self.received, self.limit.as_secs());
            Refusal::stalled(format!("it has stalled: {bytes} bytes came in {seconds} s"))
        })
    }

    /// The limit counts anew whenever enough has come within it.
    fn note(&mut self, bytes: u64) {
        self.received += bytes;
        if self.received >= LEAST_BYTES_PER_SECOND * self.limit.as_secs().max(1) {
            *self = Self::new(self.limit);
        }
    }
}

/// 0 for a file that is not there.
fn length_of(part: &Path) -> u64 {
    part.metadata().map_or(0, |metadata| metadata.len())
}

/// The innermost reason: what reqwest wraps around it repeats the address.
fn root_cause(error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    innermost.to_string()
}
