//! Ports of this machine that a project wants and others have.

use std::{
    collections::BTreeSet,
    io::ErrorKind,
    net::{IpAddr, Ipv4Addr, TcpListener},
};

use anyhow::{Result, bail};

use super::{container::Container, definition::Definition};

/// Refuses to begin what cannot end well.
///
/// # Errors
/// Names each port that another program listens at; the project's own containers do not count.
pub(super) fn refuse_taken(definition: &Definition, containers: &[Container]) -> Result<()> {
    let own: BTreeSet<u16> = containers.iter().flat_map(Container::ports).collect();
    let mut taken = Vec::new();
    for (name, service) in &definition.services {
        for port in &service.ports {
            let Some(number) = port.published.as_deref().and_then(|text| text.parse().ok()) else { continue };
            let address = port.host_ip.as_deref().and_then(|text| text.parse().ok());
            let address = address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
            if !own.contains(&number) && is_taken(address, number) {
                taken.push(format!("`{name}` wants {address}:{number}, where another program listens"));
            }
        }
    }
    if !taken.is_empty() {
        bail!("{}; stop it, or give the service another port in the compose file or its variables", taken.join(", "));
    }
    Ok(())
}

/// Anything else that keeps this program from listening is no news about other programs.
fn is_taken(address: IpAddr, port: u16) -> bool {
    TcpListener::bind((address, port)).is_err_and(|error| error.kind() == ErrorKind::AddrInUse)
}
