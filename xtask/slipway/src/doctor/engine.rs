//! The container engine: whether one answers, and whether it is set up for fast builds.

use std::process::{Command, Stdio};

use anyhow::Result;
use tasks::findings::{Finding, State};

use crate::{
    builder::{hours, rule_against_mounts},
    buildkit::{CacheRule, Engine},
    timings::bytes,
};

const STORE: &str = "add {\"features\": {\"containerd-snapshotter\": true}} to /etc/docker/daemon.json, and start the \
                     engine again";
const COLLECTION: &str = "add {\"builder\": {\"gc\": {\"enabled\": true, \"policy\": [{\"all\": true, \"maxUsedSpace\": \
                          \"40GB\"}]}}} to /etc/docker/daemon.json, and start the engine again";

pub(super) async fn findings() -> Vec<Finding> {
    let engine = Engine::connect().await;
    let mut findings = vec![answers(&engine)];
    if let Ok(engine) = &engine {
        findings.push(image_store(engine));
        findings.push(garbage_collection(engine).await);
    }
    for (plugin, package) in [("buildx", "docker-buildx"), ("compose", "docker-compose")] {
        findings.push(self::plugin(plugin, package));
    }
    findings
}

fn answers(engine: &Result<Engine>) -> Finding {
    let (state, found) = match engine {
        Ok(engine) if crate::engine::is_new_enough(&engine.version) => {
            (State::Ok, format!("version {}", engine.version))
        }
        Ok(engine) => (State::Missing, format!("version {} is too old", engine.version)),
        Err(error) if crate::engine::can_be_started_here() => (State::Installs, format!("{error:#}")),
        Err(error) => (State::Missing, format!("{error:#}")),
    };
    finding("a container engine", "build, bases", state, found, crate::engine::remedy())
}

fn image_store(engine: &Engine) -> Finding {
    let (state, found) = if engine.has_containerd_store {
        (State::Ok, "containerd's")
    } else {
        (State::Advice, "one that can export no cache but the inline one, and push nothing")
    };
    finding("the engine's image store", "build", state, found.to_owned(), STORE.to_owned())
}

async fn garbage_collection(engine: &Engine) -> Finding {
    let (state, found) = match rules_of(engine).await {
        Ok(rules) => match rule_against_mounts(&rules) {
            None => (State::Ok, "keeps cache mounts".to_owned()),
            Some(rule) => {
                let above = match rule.most.max(rule.reserved) {
                    0 => String::new(),
                    most => format!(" above {}", bytes(most)),
                };
                let unused_for = hours(rule.keep_for);
                (State::Advice, format!("drops cache mounts that were not used for {unused_for}{above}"))
            }
        },
        Err(error) => (State::Advice, format!("{error:#}")),
    };
    finding("the engine's garbage collection", "build", state, found, COLLECTION.to_owned())
}

async fn rules_of(engine: &Engine) -> Result<Vec<CacheRule>> {
    Ok(engine.builder().await?.worker().await?.rules)
}

fn plugin(name: &str, package: &str) -> Finding {
    let found = version_of(name);
    let state = if found.is_some() { State::Ok } else { State::Advice };
    let remedy = format!("sudo apt-get install docker-cli {package}, from the release that the engine is from");
    finding(
        &format!("docker {name}"),
        "comparisons in benches and tests",
        state,
        found.unwrap_or_else(|| "not found".to_owned()),
        remedy,
    )
}

/// What the plugin says of itself, if docker can run it.
fn version_of(plugin: &str) -> Option<String> {
    let output = Command::new("docker").args([plugin, "version"]).stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    output.status.success().then(|| text.lines().next().unwrap_or_default().to_owned())
}

fn finding(name: &str, needed_for: &str, state: State, found: String, remedy: String) -> Finding {
    Finding { name: name.to_owned(), needed_for: needed_for.to_owned(), state, found, remedy }
}
