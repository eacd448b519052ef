//! One file over HTTP, continued where an earlier attempt stopped.

use std::{error::Error, path::Path, time::Duration};

use futures_util::StreamExt;
use reqwest::{Client, Response, StatusCode, header};
use tokio::{
    fs::File,
    io::{AsyncSeekExt, AsyncWriteExt, SeekFrom},
};

use super::{
    event::{Events, FetchEvent},
    pin::Pin,
    refusal::Refusal,
};

/// A server that does not answer by then is taken for unreachable, so that the next source gets its turn.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// A connection over which nothing comes for that long is given up.
const READ_TIMEOUT: Duration = Duration::from_secs(20);
/// How often a transfer that was cut is continued before the source is given up.
const CONTINUATIONS: u32 = 8;

/// Fetches the address into `part` and verifies it. What an interrupted call left in `part` is kept and continued.
pub(super) async fn download(url: &str, pin: &Pin, part: &Path, events: Events<'_>) -> Result<(), Refusal> {
    let client = client()?;
    for continuation in 0..=CONTINUATIONS {
        let have = length_of(part);
        if pin.size.is_some_and(|size| have >= size) {
            break;
        }
        let Err(refusal) = receive(&client, url, pin.size, part, events).await else { break };
        // A server that gave nothing at all is not asked again.
        if length_of(part) <= have || continuation == CONTINUATIONS {
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
    events: Events<'_>,
) -> Result<(), Refusal> {
    let have = length_of(part);
    let mut request = client.get(url);
    if have > 0 {
        request = request.header(header::RANGE, format!("bytes={have}-"));
    }
    let response = request.send().await.map_err(|error| Refusal::new(root_cause(&error)))?;
    let start = match response.status() {
        StatusCode::PARTIAL_CONTENT => have,
        StatusCode::OK => 0,
        // Nothing follows what is here: the digest decides whether that is all of it.
        StatusCode::RANGE_NOT_SATISFIABLE => return Ok(()),
        status => return Err(Refusal::new(format!("the server answered {status}"))),
    };
    let total = size.or_else(|| response.content_length().map(|rest| start + rest));
    let mut file = File::options().create(true).truncate(false).write(true).open(part).await?;
    file.set_len(start).await?;
    file.seek(SeekFrom::Start(start)).await?;
    let copied = copy(response, &mut file, start, total, events).await;
    // What came before a cut is the start of the next attempt.
    file.flush().await?;
    copied
}

async fn copy(
    response: Response,
    file: &mut File,
    mut done: u64,
    total: Option<u64>,
    events: Events<'_>,
) -> Result<(), Refusal> {
    events(FetchEvent::Progress { done, total });
    let mut pieces = response.bytes_stream();
    while let Some(piece) = pieces.next().await {
        let piece =
            piece.map_err(|error| Refusal::new(format!("cut off after {done} bytes: {}", root_cause(&error))))?;
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
    let builder = Client::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(READ_TIMEOUT);
    builder.build().map_err(|error| Refusal::new(root_cause(&error)))
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
