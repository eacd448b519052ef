//! Of what the embedded stack consists, and how its parts find each other.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use crate::{Ports, Program, Readiness};

pub const TEMPORAL: &str = "temporal";
pub const INGESTION: &str = "ingestion-worker";
pub const TRANSCRIPTION: &str = "transcription-worker";
pub const LLM: &str = "llm-worker";
pub const INGESTION_API: &str = "ingestion-api";
pub const JOB_STATUS_API: &str = "job-status-api";

pub const WORKERS: [&str; 3] = [INGESTION, TRANSCRIPTION, LLM];
/// The HTTP services.
pub const SERVICES: [&str; 2] = [INGESTION_API, JOB_STATUS_API];

/// What a worker logs once it polls its task queue.
const WORKER_READY: &str = "worker ready";
/// What a service logs once it listens.
const SERVICE_READY: &str = "service ready";

/// Jobs take turns, and their first words go before the later ones of others: by default, Temporal has no fairness, and
/// priorities hold only within one of a queue's partitions.
const TAKES_TURNS: [&str; 3] =
    ["matching.enableFairness=true", "matching.numTaskqueueReadPartitions=1", "matching.numTaskqueueWritePartitions=1"];

/// Each commit is one write to the disk that is waited for, and just as safe: by default SQLite waits for several, and
/// jobs without recognition took twice as long.
const WRITES_AHEAD: [&str; 2] = ["--sqlite-pragma", "journal_mode=wal"];

/// A stack of one machine: where its parts listen, and where they keep what has to outlive them.
#[derive(Debug, Clone)]
pub struct Embedded {
    pub ports: Ports,
    /// Temporal's file.
    pub database: PathBuf,
    /// Where programs keep audio and results; their own default if `None`.
    pub store: Option<PathBuf>,
}

impl Embedded {
    /// Temporal's dev server, whose program is at `path`.
    pub fn temporal(&self, path: &Path) -> Program {
        let (server, web) = (self.ports.server.to_string(), self.ports.web.to_string());
        let flags =
            ["server", "start-dev", "--ip", "127.0.0.1", "--port", &server, "--ui-port", &web, "--log-level", "warn"];
        let mut arguments: Vec<OsString> = flags.map(OsString::from).to_vec();
        arguments.extend(["--db-filename".into(), self.database.clone().into()]);
        arguments.extend(WRITES_AHEAD.map(OsString::from));
        arguments.extend(TAKES_TURNS.into_iter().flat_map(|value| ["--dynamic-config-value".into(), value.into()]));
        Program {
            name: TEMPORAL,
            path: path.to_owned(),
            arguments,
            environment: Vec::new(),
            readiness: Readiness::Port(self.ports.server),
            stage: 0,
        }
    }

    /// One of [`WORKERS`] or [`SERVICES`].
    pub fn program(&self, name: &'static str, path: &Path) -> Program {
        let is_service = SERVICES.contains(&name);
        Program {
            name,
            path: path.to_owned(),
            arguments: Vec::new(),
            environment: if is_service { self.service_environment() } else { self.environment() },
            readiness: Readiness::Line(if is_service { SERVICE_READY } else { WORKER_READY }),
            stage: 1,
        }
    }

    /// What a program of Longhand has to know to use this stack.
    pub fn environment(&self) -> Vec<(String, OsString)> {
        let address = ("TEMPORAL_ADDRESS".to_owned(), self.address().into());
        let store = self.store.as_ref().map(|store| ("LONGHAND_STORE".to_owned(), store.clone().into()));
        [address].into_iter().chain(store).collect()
    }

    /// Temporal's.
    pub fn address(&self) -> String {
        local(self.ports.server)
    }

    pub fn web_interface(&self) -> String {
        format!("http://{}", local(self.ports.web))
    }

    /// Where recordings are handed in.
    pub fn ingestion_url(&self) -> String {
        format!("http://{}", local(self.ports.ingestion_api))
    }

    /// Where people look at jobs.
    pub fn status_url(&self) -> String {
        format!("http://{}", local(self.ports.job_status_api))
    }

    fn service_environment(&self) -> Vec<(String, OsString)> {
        let mut environment = self.environment();
        environment.extend(
            [
                ("LONGHAND_INGESTION_API_ADDRESS", local(self.ports.ingestion_api)),
                ("LONGHAND_JOB_STATUS_API_ADDRESS", local(self.ports.job_status_api)),
                ("LONGHAND_INGESTION_URL", self.ingestion_url()),
                ("LONGHAND_STATUS_URL", self.status_url()),
            ]
            .map(|(name, value)| (name.to_owned(), value.into())),
        );
        environment
    }
}

fn local(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::{TAKES_TURNS, WRITES_AHEAD};

    /// Elsewhere Temporal is started by others, so what it needs is said there once more.
    #[test]
    fn temporal_is_told_the_same_in_containers_and_on_a_cluster() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
        let read = |file: &str| fs::read_to_string(root.join(file)).unwrap();
        let (compose, cluster) = (read("compose/compose.yaml"), read("docs/cluster.md"));
        assert!(compose.contains(&format!("- {}\n", WRITES_AHEAD.join("="))), "compose.yaml writes otherwise");
        for value in TAKES_TURNS {
            assert!(compose.contains(&format!("- --dynamic-config-value={value}\n")), "compose.yaml lacks {value}");
            let (name, _) = value.split_once('=').unwrap();
            assert!(cluster.contains(&format!("`{name}`")), "cluster.md lacks {name}");
        }
    }
}
