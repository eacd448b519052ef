//! Of what the embedded stack consists, and how its parts find each other.

use std::{ffi::OsString, path::Path};

use super::{Program, Readiness, ports::Ports};
use crate::setup::Tools;

const WORKERS: [&str; 3] = ["ingestion-worker", "transcription-worker", "llm-worker"];
/// What a worker logs once it polls its task queue.
const WORKER_READY: &str = "worker ready";
/// What a service logs once it listens.
const SERVICE_READY: &str = "service ready";

/// Temporal's dev server, then all workers.
///
/// `database` is the server's file; `store` is where workers keep audio and results, their own default if `None`.
pub(crate) fn programs(
    tools: &Tools,
    ports: Ports,
    database: &Path,
    store: Option<&Path>,
) -> anyhow::Result<Vec<Program>> {
    let mut programs = vec![temporal(tools, ports, database)];
    for name in WORKERS {
        programs.push(Program {
            name: name.to_owned(),
            path: tools.programs.path(name)?.to_owned(),
            arguments: Vec::new(),
            environment: environment(ports, store),
            readiness: Readiness::Line(WORKER_READY),
            stage: 1,
        });
    }
    Ok(programs)
}

/// The HTTP services, which want the stack's settings as the workers do, and the same `store`.
pub(crate) fn services(tools: &Tools, ports: Ports, store: Option<&Path>) -> anyhow::Result<Vec<Program>> {
    let address = |port: u16| OsString::from(format!("127.0.0.1:{port}"));
    let url = |port: u16| OsString::from(format!("http://127.0.0.1:{port}"));
    let services = [
        ("ingestion-api", "LONGHAND_INGESTION_API_ADDRESS", ports.ingestion_api),
        ("job-status-api", "LONGHAND_JOB_STATUS_API_ADDRESS", ports.job_status_api),
    ];
    let mut programs = Vec::new();
    for (name, variable, port) in services {
        let mut environment = environment(ports, store);
        environment.push((variable.to_owned(), address(port)));
        environment.push(("LONGHAND_INGESTION_URL".to_owned(), url(ports.ingestion_api)));
        environment.push(("LONGHAND_STATUS_URL".to_owned(), url(ports.job_status_api)));
        programs.push(Program {
            name: name.to_owned(),
            path: tools.programs.path(name)?.to_owned(),
            arguments: Vec::new(),
            environment,
            readiness: Readiness::Line(SERVICE_READY),
            stage: 1,
        });
    }
    Ok(programs)
}

/// What a program of Longhand has to know to use this stack.
pub(crate) fn environment(ports: Ports, store: Option<&Path>) -> Vec<(String, OsString)> {
    let address = ("TEMPORAL_ADDRESS".to_owned(), OsString::from(address(ports)));
    let store = store.map(|store| ("LONGHAND_STORE".to_owned(), store.as_os_str().to_owned()));
    [address].into_iter().chain(store).collect()
}

pub(crate) fn address(ports: Ports) -> String {
    format!("127.0.0.1:{}", ports.server)
}

pub(crate) fn web_interface(ports: Ports) -> String {
    format!("http://127.0.0.1:{}", ports.web)
}

/// Where people look at jobs and hand recordings in.
pub(crate) fn page(ports: Ports) -> String {
    format!("http://127.0.0.1:{}", ports.job_status_api)
}

/// Jobs take turns, and their first words go before the later ones of others: by default, Temporal has no fairness, and
/// priorities hold only within one of a queue's partitions.
const TAKES_TURNS: [&str; 3] =
    ["matching.enableFairness=true", "matching.numTaskqueueReadPartitions=1", "matching.numTaskqueueWritePartitions=1"];

/// Each commit is one write to the disk that is waited for, and just as safe: by default SQLite waits for several, and
/// jobs without recognition took twice as long.
const WRITES_AHEAD: [&str; 2] = ["--sqlite-pragma", "journal_mode=wal"];

fn temporal(tools: &Tools, ports: Ports, database: &Path) -> Program {
    let (server, web) = (ports.server.to_string(), ports.web.to_string());
    let flags =
        ["server", "start-dev", "--ip", "127.0.0.1", "--port", &server, "--ui-port", &web, "--log-level", "warn"];
    let mut arguments: Vec<OsString> = flags.map(OsString::from).to_vec();
    arguments.extend(["--db-filename".into(), database.into()]);
    arguments.extend(WRITES_AHEAD.map(OsString::from));
    arguments.extend(TAKES_TURNS.into_iter().flat_map(|value| ["--dynamic-config-value".into(), value.into()]));
    Program {
        name: "temporal".to_owned(),
        path: tools.temporal.clone(),
        arguments,
        environment: Vec::new(),
        readiness: Readiness::Port(ports.server),
        stage: 0,
    }
}
