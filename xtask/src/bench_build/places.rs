//! Where the variants build: engines of the bench's own, one for the plain Dockerfiles and one for the optimised ones,
//! and a folder for builds on the host. Each keeps what was built in it until it is emptied.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::base_images;
use super::host::Host;
use super::own_engine::OwnEngine;
use super::subject::Subject;
use super::variant::{Place, Variant};
use super::workplace::Workplace;
use crate::interrupt::Interrupt;

/// Holds the base images for every engine after the first.
const BASE_IMAGES: &str = "bases.tar";

pub(super) struct Places<'a> {
    workplace: &'a Workplace,
    docker: &'a Path,
    interrupt: &'a Interrupt,
    base_images: BTreeSet<String>,
    engines: BTreeMap<Place, OwnEngine>,
    host: Option<Host>,
}

impl<'a> Places<'a> {
    /// Starts the engines that the variants need, with their base images.
    pub(super) fn prepare(
        subject: &Subject,
        variants: &[Variant],
        workplace: &'a Workplace,
        docker: &'a Path,
        interrupt: &'a Interrupt,
    ) -> Result<Places<'a>> {
        let base_images = base_images::named_by(subject, variants)?;
        let host = Host::of(subject, workplace.path("host"));
        let mut places = Places { workplace, docker, interrupt, base_images, engines: BTreeMap::new(), host };
        let wanted: BTreeSet<Place> = variants.iter().map(|variant| variant.place()).collect();
        for place in wanted {
            places.start(place)?;
        }
        Ok(places)
    }

    /// None for what is built on the host.
    pub(super) fn engine(&self, variant: Variant) -> Option<&OwnEngine> {
        self.engines.get(&variant.place())
    }

    pub(super) fn host(&self) -> Option<&Host> {
        self.host.as_ref()
    }

    /// Makes the variant's place as it is before the first build.
    pub(super) fn empty(&mut self, variant: Variant) -> Result<()> {
        let place = variant.place();
        if let (Place::Host, Some(host)) = (place, &self.host) {
            return remove_output(host.output());
        }
        if self.is_empty(place)? {
            return Ok(());
        }
        // Two engines that have built everything would need twice the disk.
        drop(self.engines.remove(&place));
        self.start(place)?;
        if !self.is_empty(place)? {
            bail!("the engine that should be empty has a cache, or images besides the base images");
        }
        Ok(())
    }

    fn start(&mut self, place: Place) -> Result<()> {
        let folder = match place {
            Place::EngineOfPlain => "plain",
            Place::EngineOfOptimised => "optimised",
            Place::Host => return Ok(()),
        };
        let engine = OwnEngine::start(&self.workplace.path(folder), self.docker, self.interrupt)?;
        let kept = self.workplace.path(BASE_IMAGES);
        if kept.exists() {
            base_images::load(&engine, &kept, self.interrupt)?;
        } else {
            base_images::provide(&self.base_images, &engine, self.docker, &kept, self.interrupt)?;
        }
        self.engines.insert(place, engine);
        Ok(())
    }

    fn is_empty(&self, place: Place) -> Result<bool> {
        let Some(engine) = self.engines.get(&place) else { return Ok(false) };
        Ok(engine.cache_entries()?.is_empty() && base_images::are_all_that_is_in(engine, &self.base_images)?)
    }
}

fn remove_output(folder: &Path) -> Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    fs::remove_dir_all(folder).with_context(|| format!("{} cannot be removed", folder.display()))
}
