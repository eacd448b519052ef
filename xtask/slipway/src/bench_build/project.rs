//! The project under measurement: the services that both compose files build, the one with the plain Dockerfiles
//! and the one with the optimised ones.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::working_tree::{is_ignore_file, top_of_working_tree, tracked_files};
use crate::compose::{BenchSection, BuildSection, Context, Dockerfile, Project, ProjectRequest, Service, SourceChange};

/// What plain `docker build` is told on its command line here.
const PLAIN_KEYS: [&str; 4] = ["context", "dockerfile", "args", "target"];

/// One service, as both compose files build it.
pub(super) struct Pair {
    pub(super) before: Service,
    pub(super) after: Service,
}

impl Pair {
    pub(super) fn name(&self) -> &str {
        &self.after.name
    }
}

pub(super) struct BenchProject {
    pub(super) name: String,
    /// The top of the working tree.
    pub(super) root: PathBuf,
    /// The compose file of the optimised images.
    pub(super) compose_file: PathBuf,
    pub(super) before_file: PathBuf,
    pub(super) pairs: Vec<Pair>,
    pub(super) bench: BenchSection,
    /// Services of the first table that cannot be measured, each with the reason.
    pub(super) missing: Vec<String>,
    pub(super) has_ignore_files: bool,
}

impl BenchProject {
    /// Reads the two compose files of a project that git knows, for these of its services or for all.
    pub(super) fn load(compose_file: &Path, before_file: &Path, wanted: &[String]) -> Result<BenchProject> {
        let (compose_file, before_file) = (existing(compose_file)?, existing(before_file)?);
        let root = top_of_working_tree(compose_file.parent().unwrap_or(&compose_file))?;
        if !before_file.starts_with(&root) {
            bail!("{} is not in the working tree {}", before_file.display(), root.display());
        }
        let project = load(&compose_file)?;
        let bench = BenchSection::load(&before_file)?;
        let before = load(&before_file)?.services;
        for service in &before {
            refuse_more_than_plain(service)?;
        }
        let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name);
        let missing = missing(&bench, &before, &project.services, is_wanted);
        let mut pairs = pairs(before, project.services);
        if pairs.is_empty() {
            bail!("{} and {} have no service in common", compose_file.display(), before_file.display());
        }
        refuse_unknown(wanted, &pairs)?;
        pairs.retain(|pair| is_wanted(pair.name()));
        let has_ignore_files = tracked_files(&root)?.iter().any(|path| is_ignore_file(path));
        Ok(BenchProject {
            name: project.name,
            root,
            compose_file,
            before_file,
            pairs,
            bench,
            missing,
            has_ignore_files,
        })
    }

    /// Hours into a bench would be late to find out.
    ///
    /// # Errors
    /// A change that cannot be made, because the sources have moved on.
    pub(super) fn refuse_impossible(&self, changes: impl Iterator<Item = SourceChange>) -> Result<()> {
        for SourceChange { file, from, .. } in changes {
            let path = self.root.join(file);
            let text = fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
            if !text.contains(&from) {
                let before = self.before_file.display();
                bail!(
                    "{} has no `{from}` that could be changed; bring `x-bench` of {before} up to date",
                    path.display()
                );
            }
        }
        Ok(())
    }

    /// The same project at another place.
    pub(super) fn at(&self, root: &Path) -> Result<BenchProject> {
        let moved = |path: &Path| Ok::<_, anyhow::Error>(root.join(path.strip_prefix(&self.root)?));
        let (compose_file, before_file) = (moved(&self.compose_file)?, moved(&self.before_file)?);
        let mut moved_pairs = pairs(load(&before_file)?.services, load(&compose_file)?.services);
        moved_pairs.retain(|pair| self.names().any(|name| name == pair.name()));
        Ok(BenchProject {
            name: self.name.clone(),
            root: root.to_owned(),
            pairs: moved_pairs,
            bench: BenchSection::load(&before_file)?,
            missing: self.missing.clone(),
            has_ignore_files: self.has_ignore_files,
            compose_file,
            before_file,
        })
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.pairs.iter().map(Pair::name)
    }

    /// The services that a case builds: its own, or all.
    pub(super) fn chosen(&self, service: Option<&str>) -> Vec<&Pair> {
        self.pairs.iter().filter(|pair| service.is_none_or(|service| pair.name() == service)).collect()
    }

    /// The services of the first table, in its order.
    pub(super) fn seed_rows(&self) -> Vec<&str> {
        let listed = self.bench.services.iter().map(String::as_str);
        let rows: Vec<&str> = listed.filter(|row| self.names().any(|name| name == *row)).collect();
        if self.bench.services.is_empty() { self.names().collect() } else { rows }
    }
}

fn existing(path: &Path) -> Result<PathBuf> {
    path.canonicalize().with_context(|| format!("there is no compose file {}", path.display()))
}

fn load(file: &Path) -> Result<Project> {
    let environment = std::env::vars_os();
    Project::load(&ProjectRequest {
        files: vec![file.to_owned()],
        environment: environment.filter_map(|(n, v)| Some((n.into_string().ok()?, v.into_string().ok()?))).collect(),
        folder: file.parent().unwrap_or(file).to_owned(),
        ..ProjectRequest::default()
    })
}

fn pairs(before: Vec<Service>, after: Vec<Service>) -> Vec<Pair> {
    let mut before = before;
    let pair = |after: Service| {
        let index = before.iter().position(|before| before.name == after.name)?;
        Some(Pair { before: before.swap_remove(index), after })
    };
    after.into_iter().filter_map(pair).collect()
}

fn refuse_unknown(wanted: &[String], pairs: &[Pair]) -> Result<()> {
    let is_known = |name: &&String| pairs.iter().any(|pair| pair.name() == *name);
    if let Some(unknown) = wanted.iter().find(|name| !is_known(name)) {
        let known: Vec<&str> = pairs.iter().map(Pair::name).collect();
        bail!("the two compose files have no service `{unknown}` in common; they have {}", known.join(", "));
    }
    Ok(())
}

fn missing(
    bench: &BenchSection,
    before: &[Service],
    after: &[Service],
    is_wanted: impl Fn(&str) -> bool,
) -> Vec<String> {
    let has = |services: &[Service], name: &str| services.iter().any(|service| service.name == name);
    let mut names: Vec<&str> = bench.services.iter().map(String::as_str).collect();
    for service in before.iter().chain(after) {
        if !names.contains(&service.name.as_str()) {
            names.push(&service.name);
        }
    }
    let reason = |name: &str| match (has(before, name), has(after, name)) {
        (true, true) => None,
        (true, false) => Some(format!("{name}: the optimised compose file has no such service")),
        (false, true) => Some(format!("{name}: there is no plain Dockerfile to compare with")),
        (false, false) => Some(format!("{name}: there is no such service yet")),
    };
    names.into_iter().filter(|name| is_wanted(name)).filter_map(reason).collect()
}

/// What a plain `docker build` would not be told must not stand in the file, or it would be ignored.
fn refuse_more_than_plain(service: &Service) -> Result<()> {
    let BuildSection { context, dockerfile, .. } = &service.build;
    let is_plain = matches!(context, Context::Folder(_)) && matches!(dockerfile, Dockerfile::File(_));
    let said = serde_json::to_value(&service.build)?;
    let says = |value: &Value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        _ => true,
    };
    let mut keys = said.as_object().into_iter().flatten();
    if let Some((key, _)) = keys.find(|(key, value)| !PLAIN_KEYS.contains(&key.as_str()) && says(value)) {
        bail!("`{}`: `build.{key}` has no place before optimisation; keep to {}", service.name, PLAIN_KEYS.join(", "));
    }
    if !is_plain {
        bail!("`{}`: before optimisation it needs a folder as context and a Dockerfile in a file", service.name);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The repository that this package is developed in.
    fn repository() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap()
    }

    #[test]
    fn the_plain_builds_of_this_project_can_be_measured() {
        let file = repository().join("benches/before/compose.yaml");
        let bench = BenchSection::load(&file).unwrap();
        for change in bench.code.values().chain(&bench.library).chain(&bench.dependency) {
            let text = fs::read_to_string(repository().join(&change.file)).unwrap();
            assert!(text.contains(&change.from), "{} has no `{}`", change.file.display(), change.from);
        }
        for service in load(&file).unwrap().services {
            refuse_more_than_plain(&service).unwrap();
            assert!(bench.code.contains_key(&service.name), "no change of the code of {}", service.name);
            let Dockerfile::File(dockerfile) = &service.build.dockerfile else { panic!("{}", service.name) };
            assert!(dockerfile.is_file(), "{}", dockerfile.display());
        }
    }

    #[test]
    fn the_host_builds_what_the_images_hold() {
        let bench = BenchSection::load(&repository().join("benches/before/compose.yaml")).unwrap();
        let host = bench.host.unwrap();
        let dockerfile = fs::read_to_string(repository().join("dockerfiles/Dockerfile")).unwrap();
        let joined = dockerfile.replace("\\\n", " ").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(joined.contains(&host.command_line("", &[]).join(" ")), "{joined}");
        for (name, value) in host.environment("").into_iter().filter(|(_, value)| !value.is_empty()) {
            assert!(joined.contains(&format!("{name}={value}")), "{name}={value}");
        }
    }
}
