//! How the services of a project are: the table that people read, and the same as JSON.

use std::io;

use anyhow::Result;
use serde::Serialize;
use tabled::{builder::Builder, settings::Style};
use tasks::output::{print, print_json};

use super::{container::Container, memory, project::ComposeProject};

/// A container of a service, or a service that has none.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    service: String,
    /// None where the service has no container.
    container: Option<String>,
    /// Where it can be reached from this machine.
    addresses: Vec<String>,
    /// `healthy`, `starting`, `unhealthy`, `running` where nobody can ask, or how it ended.
    health: String,
    is_well: bool,
    memory_bytes: Option<u64>,
    memory_limit_bytes: Option<u64>,
}

#[derive(Debug)]
pub(super) struct Overview {
    rows: Vec<Row>,
}

impl Overview {
    pub(super) fn take(project: &ComposeProject, containers: &[Container]) -> Result<Self> {
        let memory = memory::of(containers)?;
        let mut rows = Vec::new();
        for service in project.definition.started_services() {
            let own: Vec<&Container> = containers.iter().filter(|container| container.service == service).collect();
            if own.is_empty() {
                rows.push(Row::missing(service));
            }
            rows.extend(own.into_iter().map(|container| {
                let memory = memory.get(&container.id);
                Row {
                    service: service.to_owned(),
                    container: Some(container.name.clone()),
                    addresses: container.addresses(),
                    health: container.condition(),
                    is_well: container.is_well(),
                    memory_bytes: memory.map(|memory| memory.used),
                    memory_limit_bytes: memory.map(|memory| memory.limit),
                }
            }));
        }
        Ok(Self { rows })
    }

    pub(super) fn is_well(&self) -> bool {
        self.rows.iter().all(|row| row.is_well)
    }

    /// The services that have no container.
    pub(super) fn missing(&self) -> impl Iterator<Item = &str> {
        self.rows.iter().filter(|row| row.container.is_none()).map(|row| row.service.as_str())
    }

    pub(super) fn print(&self, as_json: bool) -> io::Result<()> {
        if as_json { print_json(&self.rows) } else { print(&self.table()) }
    }

    fn table(&self) -> String {
        let mut table = Builder::default();
        table.push_record(["service", "address", "health", "memory"]);
        for row in &self.rows {
            table.push_record([self.label(row), row.addresses.join(", "), row.health.clone(), row.memory()]);
        }
        let mut table = table.build();
        table.with(Style::rounded());
        format!("{table}\n")
    }

    /// The service, or the container where the service has several.
    fn label(&self, row: &Row) -> String {
        let several = self.rows.iter().filter(|other| other.service == row.service).count() > 1;
        row.container.as_ref().filter(|_| several).unwrap_or(&row.service).clone()
    }
}

impl Row {
    fn missing(service: &str) -> Self {
        Self {
            service: service.to_owned(),
            container: None,
            addresses: Vec::new(),
            health: "not there".to_owned(),
            is_well: false,
            memory_bytes: None,
            memory_limit_bytes: None,
        }
    }

    fn memory(&self) -> String {
        let Some(used) = self.memory_bytes else { return String::new() };
        let used = mebibytes(used);
        self.memory_limit_bytes.map_or(used.clone(), |limit| format!("{used} of {}", mebibytes(limit)))
    }
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes.div_ceil(1 << 20))
}
