//! Where the variants build: engines of the bench's own, one for the plain Dockerfiles and one for the optimised ones,
//! and a folder for builds on the host. Each keeps what was built in it until it is emptied.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use tasks::Interrupt;

use super::{
    base_images,
    host::Host,
    own_engine::OwnEngine,
    project::BenchProject,
    variant::{Environment, Variant},
    work_dir::WorkDir,
};

pub(super) struct Environments<'a> {
    docker: &'a Path,
    interrupt: &'a Interrupt,
    engines: BTreeMap<Environment, EngineEnvironment>,
    host: Option<Host>,
}

struct EngineEnvironment {
    folder: PathBuf,
    /// What the Dockerfiles that are built here begin with.
    base_images: BTreeSet<String>,
    /// Holds the base images for every engine after the first.
    base_images_file: PathBuf,
    /// None between two engines.
    engine: Option<OwnEngine>,
}

impl<'a> Environments<'a> {
    /// Starts the engines that the variants need, with their base images.
    pub(super) fn prepare(
        project: &BenchProject,
        variants: &[Variant],
        work_dir: &'a WorkDir,
        docker: &'a Path,
        interrupt: &'a Interrupt,
    ) -> Result<Environments<'a>> {
        let host = Host::of(project, work_dir.path("host"));
        let mut environments = Environments { docker, interrupt, engines: BTreeMap::new(), host };
        for variant in variants {
            let name = match variant.environment() {
                Environment::EngineOfPlain => "plain",
                Environment::EngineOfOptimised => "optimised",
                Environment::Host => continue,
            };
            if environments.engine(*variant).is_none() {
                let mut environment = EngineEnvironment {
                    folder: work_dir.path(name),
                    base_images: base_images::named_by(project, *variant)?,
                    base_images_file: work_dir.path(&format!("{name}-bases.tar")),
                    engine: None,
                };
                environment.start(docker, interrupt)?;
                environments.engines.insert(variant.environment(), environment);
            }
        }
        Ok(environments)
    }

    /// None for what is built on the host.
    pub(super) fn engine(&self, variant: Variant) -> Option<&OwnEngine> {
        self.engines.get(&variant.environment()).and_then(|environment| environment.engine.as_ref())
    }

    pub(super) fn host(&self) -> Option<&Host> {
        self.host.as_ref()
    }

    /// Makes the variant's environment as it is before the first build.
    pub(super) fn empty(&mut self, variant: Variant) -> Result<()> {
        match (self.engines.get_mut(&variant.environment()), &self.host) {
            (Some(environment), _) => environment.empty(self.docker, self.interrupt),
            (None, Some(host)) => remove(host.output()),
            (None, None) => Ok(()),
        }
    }
}

impl EngineEnvironment {
    fn start(&mut self, docker: &Path, interrupt: &Interrupt) -> Result<()> {
        let engine = OwnEngine::start(&self.folder, docker, interrupt)?;
        if self.base_images_file.exists() {
            base_images::load(&engine, &self.base_images_file, interrupt)?;
        } else {
            base_images::provide(&self.base_images, &engine, docker, &self.base_images_file, interrupt)?;
        }
        self.engine = Some(engine);
        Ok(())
    }

    fn empty(&mut self, docker: &Path, interrupt: &Interrupt) -> Result<()> {
        if self.is_empty()? {
            return Ok(());
        }
        // Two engines that have built everything would need twice the disk.
        drop(self.engine.take());
        self.start(docker, interrupt)?;
        if !self.is_empty()? {
            bail!("the engine that should be empty has a cache, or images besides the base images");
        }
        Ok(())
    }

    fn is_empty(&self) -> Result<bool> {
        let Some(engine) = &self.engine else { return Ok(false) };
        Ok(engine.cache_entries()?.is_empty() && base_images::are_all_that_is_in(engine, &self.base_images)?)
    }
}

fn remove(folder: &Path) -> Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    fs::remove_dir_all(folder).with_context(|| format!("{} cannot be removed", folder.display()))
}
