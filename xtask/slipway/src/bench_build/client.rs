//! The docker client, one that has the plugins that are measured, and the user's engine behind it.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

use tasks::Halt;

use super::variant::Variant;

/// The first docker on the search path, or in the usual folder, that knows every command that is needed.
///
/// # Errors
/// [`Halt::ActionRequired`] where none does.
pub(super) fn find(variants: &[Variant]) -> Result<PathBuf, Halt> {
    let mut plugins = vec!["buildx"];
    if variants.contains(&Variant::Compose) {
        plugins.push("compose");
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/bin")]);
    let mut clients = folders.map(|folder| folder.join("docker")).filter(|client| client.is_file());
    clients.find(|client| plugins.iter().all(|plugin| answers(client, plugin))).ok_or_else(|| {
        let plugins = plugins.join(" and ");
        Halt::ActionRequired(format!(
            "no docker client here knows {plugins}: install the plugins (docker-buildx, docker-compose)"
        ))
    })
}

fn answers(client: &PathBuf, plugin: &str) -> bool {
    let answer = Command::new(client).args([plugin, "version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    answer.is_ok_and(|status| status.success())
}
