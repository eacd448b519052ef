//! A container of a project, as `docker compose ps` tells of it.

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Container {
    #[serde(rename = "ID")]
    pub(super) id: String,
    pub(super) name: String,
    pub(super) service: String,
    /// `running`, `restarting`, `exited`, ...
    state: String,
    /// Empty where the image has no health check, or the container does not run.
    health: String,
    exit_code: i64,
    publishers: Option<Vec<Publisher>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Publisher {
    #[serde(rename = "URL")]
    address: String,
    published_port: u16,
}

impl Container {
    /// It runs and, where it can be asked, is healthy.
    pub(super) fn is_well(&self) -> bool {
        self.is_running() && (self.health.is_empty() || self.health == "healthy")
    }

    pub(super) fn is_running(&self) -> bool {
        self.state == "running"
    }

    /// How it is, in a word or two.
    pub(super) fn condition(&self) -> String {
        match (self.state.as_str(), self.health.as_str()) {
            ("running", "") => "running".to_owned(),
            ("running", health) => health.to_owned(),
            ("exited", _) => format!("exited with code {}", self.exit_code),
            (state, _) => state.to_owned(),
        }
    }

    /// Where it can be reached from this machine, each once.
    pub(super) fn addresses(&self) -> Vec<String> {
        let publishers = self.publishers.iter().flatten().filter(|publisher| publisher.published_port != 0);
        let mut addresses: Vec<String> =
            publishers.map(|publisher| format!("{}:{}", publisher.address, publisher.published_port)).collect();
        addresses.sort();
        addresses.dedup();
        addresses
    }

    pub(super) fn ports(&self) -> impl Iterator<Item = u16> {
        self.publishers.iter().flatten().map(|publisher| publisher.published_port)
    }
}

#[cfg(test)]
mod tests {
    use super::Container;

    #[test]
    fn a_container_is_well_when_it_runs_and_no_check_says_otherwise() {
        for (state, health, condition, is_well) in [
            ("running", "healthy", "healthy", true),
            ("running", "", "running", true),
            ("running", "starting", "starting", false),
            ("running", "unhealthy", "unhealthy", false),
            ("exited", "", "exited with code 137", false),
            ("restarting", "", "restarting", false),
        ] {
            let container: Container = serde_json::from_value(serde_json::json!({
                "ID": "1", "Name": "shop-web-1", "Service": "web", "State": state, "Health": health, "ExitCode": 137,
                "Publishers": [
                    {"URL": "127.0.0.1", "TargetPort": 80, "PublishedPort": 8000, "Protocol": "tcp"},
                    {"URL": "", "TargetPort": 81, "PublishedPort": 0, "Protocol": "tcp"},
                ],
            }))
            .unwrap();
            assert_eq!((container.condition().as_str(), container.is_well()), (condition, is_well), "{state} {health}");
            assert_eq!(container.addresses(), ["127.0.0.1:8000"]);
        }
    }
}
