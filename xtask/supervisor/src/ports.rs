//! The ports of Temporal's dev server, of its web interface and of the HTTP services.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::Context;
use tasks::{Halt, free_port};

const DEFAULT: u16 = 7233;
/// The web interface's usual distance from the server.
const TO_WEB: u16 = 1000;
/// From the server to the services, whose usual ports are 8000 and 8001.
const TO_INGESTION_API: u16 = 767;
const TO_JOB_STATUS_API: u16 = 768;
/// How many neighbours of the default port are tried.
const NEIGHBOURS: u16 = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    pub server: u16,
    pub web: u16,
    pub ingestion_api: u16,
    pub job_status_api: u16,
}

impl Ports {
    /// The wanted port, or the default, or the next one where it and all that go with it are free.
    ///
    /// # Errors
    /// [`Halt::ActionRequired`] where the wanted port is taken.
    pub fn choose(wanted: Option<u16>) -> Result<Self, Halt> {
        match wanted {
            Some(port) => Self::exactly(port),
            None => Self::from(DEFAULT),
        }
    }

    /// Any free ports, for a stack that nobody has to find.
    pub fn any() -> anyhow::Result<Self> {
        let free = || free_port().context("no free port");
        Ok(Self { server: free()?, web: free()?, ingestion_api: free()?, job_status_api: free()? })
    }

    pub fn is_default(self) -> bool {
        self.server == DEFAULT
    }

    fn at(server: u16) -> Self {
        Self {
            server,
            web: server + TO_WEB,
            ingestion_api: server + TO_INGESTION_API,
            job_status_api: server + TO_JOB_STATUS_API,
        }
    }

    fn exactly(port: u16) -> Result<Self, Halt> {
        let ports = Self::at(port);
        match ports.taken() {
            None => Ok(ports),
            Some(taken) => Err(Halt::ActionRequired(format!(
                "port {taken} is taken: stop the program that listens there, or name another port with --port \
                 (the web interface's is {TO_WEB} above it, the services' {TO_INGESTION_API} and {TO_JOB_STATUS_API})"
            ))),
        }
    }

    fn from(first: u16) -> Result<Self, Halt> {
        let mut candidates = (first..first + NEIGHBOURS).map(Self::at);
        candidates.find(|ports| ports.taken().is_none()).ok_or_else(|| {
            let last = first + NEIGHBOURS - 1;
            Halt::ActionRequired(format!("all ports from {first} to {last} are taken: name a free one with --port"))
        })
    }

    fn taken(self) -> Option<u16> {
        [self.server, self.web, self.ingestion_api, self.job_status_api].into_iter().find(|port| bind(*port).is_none())
    }
}

fn bind(port: u16) -> Option<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Ports, TO_INGESTION_API, TO_WEB, bind};

    /// A port whose neighbour and whose web interface's ports are free as well.
    fn free_stretch() -> u16 {
        (20_000..60_000)
            .find(|port| Ports::at(*port).taken().is_none() && Ports::at(port + 1).taken().is_none())
            .unwrap()
    }

    #[test]
    fn taken_ports_are_refused_when_named_and_skipped_otherwise() {
        let port = free_stretch();
        assert_eq!(Ports::choose(Some(port)).unwrap(), Ports::at(port));
        assert_eq!(Ports::from(port).unwrap(), Ports::at(port));
        for taken in [port, port + TO_WEB, port + TO_INGESTION_API] {
            let holder = bind(taken).unwrap();
            let refusal = Ports::choose(Some(port)).unwrap_err().to_string();
            assert!(refusal.starts_with(&format!("port {taken} is taken: stop the program")), "{refusal}");
            assert_eq!(Ports::from(port).unwrap(), Ports::at(port + 1));
            drop(holder);
        }
    }

    #[test]
    fn any_ports_are_different() {
        let ports = Ports::any().unwrap();
        let all = [ports.server, ports.web, ports.ingestion_api, ports.job_status_api];
        assert_eq!(BTreeSet::from(all).len(), all.len());
    }
}
