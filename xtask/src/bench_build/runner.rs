//! Takes one measurement: sets the scene, builds with the clock running, and checks that what was built is what the
//! scenario is about.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, bail};

use super::base_images;
use super::own_engine::OwnEngine;
use super::process::{output_of, run_timed};
use super::programs;
use super::report::Measurement;
use super::scenario::{Case, Expectation, Scenario};
use super::subject::{Pair, Subject};
use super::variant::{Variant, write_network_file};
use super::working_copy::{Edit, WorkingCopy};
use super::workplace::Workplace;
use crate::interrupt::Interrupt;

pub(super) struct Runner<'a> {
    workplace: &'a Workplace,
    docker: &'a Path,
    interrupt: &'a Interrupt,
    /// The project in the working copy.
    subject: Subject,
    copy: WorkingCopy,
    network: PathBuf,
    base_images: BTreeSet<String>,
    /// Keeps its cache from case to case.
    engine: OwnEngine,
    /// The number of the last change of the sources.
    changes: u32,
}

impl<'a> Runner<'a> {
    /// Copies the project and starts an engine that has its base images.
    pub(super) fn new(
        original: &Subject,
        variants: &[Variant],
        workplace: &'a Workplace,
        docker: &'a Path,
        interrupt: &'a Interrupt,
    ) -> Result<Runner<'a>> {
        // Without a name of their own, projects and so images are named like the folder.
        let root = workplace.path("copy").join(original.root.file_name().unwrap_or_default());
        let copy = WorkingCopy::new(original, &root)?;
        let subject = original.at(&root)?;
        let network = write_network_file(&subject, &workplace.path(""))?;
        let base_images = base_images::named_by(&subject, variants)?;
        let engine = OwnEngine::start(&workplace.path("engine"), docker, interrupt)?;
        base_images::provide(&base_images, &engine, docker, &workplace.path("bases.tar"), interrupt)?;
        Ok(Runner { workplace, docker, interrupt, subject, copy, network, base_images, engine, changes: 0 })
    }

    pub(super) fn engine(&self) -> &OwnEngine {
        &self.engine
    }

    pub(super) fn measure(&mut self, case: &Case, variant: Variant, round: u32) -> Result<Measurement> {
        let (took, programs_differ) = match case.scenario {
            Scenario::Cold => (self.build_from_nothing(variant)?, None),
            _ => {
                let (took, differ) = self.build_changed(case, variant)?;
                (took, Some(differ))
            }
        };
        Ok(Measurement { case: case.clone(), variant, round, seconds: took.as_secs_f64(), programs_differ })
    }

    /// Builds everything in an engine that has just come into being.
    fn build_from_nothing(&self, variant: Variant) -> Result<Duration> {
        let engine = OwnEngine::start(&self.workplace.path("empty-engine"), self.docker, self.interrupt)?;
        base_images::load(&engine, &self.workplace.path("bases.tar"), self.interrupt)?;
        let entries = engine.cache_entries()?.len();
        if entries > 0 || !base_images::are_all_that_is_in(&engine, &self.base_images)? {
            bail!("the engine that should be empty has {entries} cache entries, or images besides the base images");
        }
        self.build(&engine, variant, &self.subject.chosen(None))
    }

    /// Builds the unchanged sources, does to them what the case is about, and builds again; only this is timed.
    fn build_changed(&mut self, case: &Case, variant: Variant) -> Result<(Duration, bool)> {
        self.build(&self.engine, variant, &self.chosen(case))?;
        self.keep(case, variant)?;
        let unchanged = self.programs(case, variant)?;
        let known = self.engine.cache_entries()?;
        let edit = self.change(case)?;
        let built = self.build(&self.engine, variant, &self.chosen(case));
        edit.take_back()?;
        let took = built?;
        let differ = self.differ(case, variant, &unchanged)?;
        self.engine.forget_since(&known)?;
        Ok((took, differ))
    }

    /// Gives the images a second name. An engine that collects garbage between naming a new image and unpacking it
    /// would take the layers away that it shares with the one that has just lost its name, and fail.
    fn keep(&self, case: &Case, variant: Variant) -> Result<()> {
        for pair in self.chosen(case) {
            let image = &variant.service(pair).image;
            let kept = format!("longhand-bench-kept:{}-{}", variant.name(), pair.name());
            output_of(self.engine.docker().args(["image", "tag", image, &kept]))?;
        }
        // What earlier builds have left nameless.
        output_of(self.engine.docker().args(["image", "prune", "--force"])).map(drop)
    }

    fn change(&mut self, case: &Case) -> Result<Edit> {
        self.changes += 1;
        if let Some(change) = case.change(&self.subject) {
            return self.copy.apply(change, self.changes);
        }
        match &self.subject.bench.ignored {
            Some(ignored) if case.scenario == Scenario::DockerignoreOff => {
                self.copy.write_ignored(ignored, self.changes)?;
                self.copy.remove_ignore_files()
            }
            _ => Ok(Edit::none()),
        }
    }

    fn build(&self, engine: &OwnEngine, variant: Variant, pairs: &[&Pair]) -> Result<Duration> {
        let log = self.workplace.path("build.log");
        let mut took = Duration::ZERO;
        for mut command in variant.commands(self.docker, &self.subject, pairs, &self.network)? {
            engine.equip(&mut command);
            took += run_timed(&mut command, &log, self.interrupt)?;
        }
        Ok(took)
    }

    /// Whether every program has changed, where that is so for all or for none of them as the scenario wants it.
    fn differ(&self, case: &Case, variant: Variant, unchanged: &[String]) -> Result<bool> {
        let now = self.programs(case, variant)?;
        let differing = now.iter().zip(unchanged).filter(|(now, unchanged)| now != unchanged).count();
        let as_expected = match case.scenario.expectation() {
            Expectation::Same => differing == 0,
            Expectation::Different => differing == now.len(),
            Expectation::Either => true,
        };
        if !as_expected {
            let (variant, all) = (variant.name(), now.len());
            bail!("{case}, {variant}: {differing} of {all} programs have changed, which is not what was built for");
        }
        Ok(differing == now.len())
    }

    fn programs(&self, case: &Case, variant: Variant) -> Result<Vec<String>> {
        let chosen = self.chosen(case).into_iter();
        let folder = self.workplace.path("");
        chosen.map(|pair| programs::digest(&self.engine, &variant.service(pair).image, &folder)).collect()
    }

    fn chosen(&self, case: &Case) -> Vec<&Pair> {
        self.subject.chosen(case.service.as_deref())
    }
}
