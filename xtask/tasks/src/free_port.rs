//! Ports for servers that are started later.

use std::{
    io,
    net::{Ipv4Addr, TcpListener, TcpStream},
};

/// A port of this machine that nothing listens on, and that nobody is given for a minute who asks for any port: the
/// side that ends a connection first keeps the port from them, but not from a server that asks for this one.
pub fn free_port() -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let client = TcpStream::connect(address)?;
    let (server, _) = listener.accept()?;
    drop(server);
    drop(client);
    Ok(address.port())
}
