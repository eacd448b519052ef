//! The `host:` of an `x-bench:` section: how one builds the services' programs on the machine itself, without images.

use std::collections::BTreeMap;

use anyhow::Result;

use super::{
    fields::{mapping, text, texts},
    yaml::Node,
};

/// Stands for a folder that is kept from build to build, and is empty before the first.
const OUTPUT: &str = "{output}";
const SERVICE: &str = "{service}";

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct HostBuild {
    /// The program and its arguments; it runs at the top of the project.
    command: Vec<String>,
    /// Arguments that are added for every service that is built.
    each: Vec<String>,
    /// The path of the program that a service's image holds.
    program: String,
    environment: BTreeMap<String, String>,
}

impl HostBuild {
    pub(super) fn read(node: &Node) -> Result<HostBuild> {
        let mut build = HostBuild::default();
        for (key, value) in node.entries("`x-bench.host`")? {
            match key.text.as_str() {
                "command" => build.command = texts(value, "x-bench.host.command")?,
                "each" => build.each = texts(value, "x-bench.host.each")?,
                "program" => build.program = text(value, "x-bench.host.program")?,
                "environment" => {
                    let variables = mapping(value, "x-bench.host.environment")?.into_iter();
                    build.environment = variables.map(|(name, value)| (name, value.unwrap_or_default())).collect();
                }
                other => {
                    let known = "command, each, program, environment";
                    let message = format!("`x-bench.host` knows no `{other}`; it knows {known}");
                    return Err(node.place_of(key).error(message));
                }
            }
        }
        for (key, is_missing) in [("command", build.command.is_empty()), ("program", build.program.is_empty())] {
            if is_missing {
                return Err(node.error(format!("`{key}` is missing")));
            }
        }
        Ok(build)
    }

    /// The words of the command that builds these services.
    pub(crate) fn command_line(&self, output: &str, services: &[&str]) -> Vec<String> {
        let always = self.command.iter().map(|word| word.replace(OUTPUT, output));
        let each = services.iter().flat_map(|service| self.each.iter().map(|word| filled(word, output, service)));
        always.chain(each).collect()
    }

    /// The variables that the command is given besides those that there are.
    pub(crate) fn environment(&self, output: &str) -> BTreeMap<&str, String> {
        self.environment.iter().map(|(name, value)| (name.as_str(), value.replace(OUTPUT, output))).collect()
    }

    /// Where the service's program is after a build, from the top of the project on.
    pub(crate) fn program(&self, output: &str, service: &str) -> String {
        filled(&self.program, output, service)
    }
}

fn filled(word: &str, output: &str, service: &str) -> String {
    word.replace(OUTPUT, output).replace(SERVICE, service)
}
