//! The one place where Temporal's gRPC client meets its transport. To connect is to generate the code of all 217 calls of
//! Temporal's services, of which Longhand makes some twenty: half a minute of compiling, spent once, here, and not again
//! with each change of the engine.

use futures_util::future::BoxFuture;
use temporalio_client::{Connection, ConnectionOptions, errors::ClientConnectError};

/// As [`Connection::connect`].
pub fn connect(options: ConnectionOptions) -> BoxFuture<'static, Result<Connection, ClientConnectError>> {
    Box::pin(Connection::connect(options))
}
