//! Takes one measurement: sets the scene, builds with the clock running, and checks that what was built is what the
//! scenario is about.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use tasks::Interrupt;

use super::{
    environments::Environments,
    machine::Tools,
    own_engine::{CacheEntry, OwnEngine},
    process::{output_of, run_timed},
    programs::{digest_in_image, digest_of_file},
    project::{BenchProject, Pair},
    report::Measurement,
    scenario::{Case, Expectation, Scenario},
    variant::{Inputs, Variant, write_network_file},
    work_dir::WorkDir,
    working_copy::{Edit, WorkingCopy},
};

pub(super) struct Runner<'a> {
    work_dir: &'a WorkDir,
    docker: &'a Path,
    interrupt: &'a Interrupt,
    /// The project in the working copy.
    project: BenchProject,
    copy: WorkingCopy,
    network: PathBuf,
    environments: Environments<'a>,
    /// The number of the last change of the sources.
    changes: u32,
}

impl<'a> Runner<'a> {
    /// Copies the project and starts engines that have its base images.
    pub(super) fn new(
        original: &BenchProject,
        variants: &[Variant],
        work_dir: &'a WorkDir,
        docker: &'a Path,
        interrupt: &'a Interrupt,
    ) -> Result<Runner<'a>> {
        // Without a name of their own, projects and so images are named like the folder.
        let root = work_dir.path("copy").join(original.root.file_name().unwrap_or_default());
        let copy = WorkingCopy::new(original, &root)?;
        let project = original.at(&root)?;
        let network = write_network_file(&project, &work_dir.path(""))?;
        let environments = Environments::prepare(&project, variants, work_dir, docker, interrupt)?;
        Ok(Runner { work_dir, docker, interrupt, project, copy, network, environments, changes: 0 })
    }

    pub(super) fn tools(&self) -> Result<Tools> {
        let engine =
            self.environments.engine(Variant::Xtask).context("the bench has no engine for the optimised images")?;
        Tools::ask(engine, self.docker)
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

    /// What is built here is what later cases begin with: it takes too long to be built for one figure.
    fn build_from_nothing(&mut self, variant: Variant) -> Result<Duration> {
        self.environments.empty(variant)?;
        self.build(variant, &self.project.chosen(None), None)
    }

    /// Sets the scene, does to the sources what the case is about, and builds; only this is timed.
    fn build_changed(&mut self, case: &Case, variant: Variant) -> Result<(Duration, bool)> {
        let known = self.build_unchanged(case, variant)?;
        if variant.keeps_results() {
            // Else the timed build would also compile what the case before it had changed and this one has back.
            self.build_edited(case, variant, None)?;
        }
        let earlier = self.programs(case, variant)?;
        let took = self.build_edited(case, variant, Some(&known))?;
        let differ = self.differ(case, variant, &earlier)?;
        Ok((took, differ))
    }

    /// Fills the engine's cache with what a change does not touch, and lists it. On the host every build does that.
    fn build_unchanged(&self, case: &Case, variant: Variant) -> Result<Vec<CacheEntry>> {
        let Some(engine) = self.environments.engine(variant) else { return Ok(Vec::new()) };
        // Each plain build leaves its whole target folder behind.
        if variant == Variant::Before && self.work_dir.is_short_of_room() {
            engine.forget_since(&[])?;
        }
        self.build(variant, &self.chosen(case), None)?;
        self.keep(engine, case, variant)?;
        engine.cache_entries()
    }

    /// Gives the images a second name. An engine that collects garbage between naming a new image and unpacking it
    /// would take the layers away that it shares with the one that has just lost its name, and fail.
    fn keep(&self, engine: &OwnEngine, case: &Case, variant: Variant) -> Result<()> {
        for pair in self.chosen(case) {
            let image = &variant.service(pair).image;
            let kept = format!("slipway-bench-kept:{}-{}", variant.name(), pair.name());
            output_of(engine.docker().args(["image", "tag", image, &kept]))?;
        }
        // What earlier builds have left nameless.
        output_of(engine.docker().args(["image", "prune", "--force"])).map(drop)
    }

    fn build_edited(&mut self, case: &Case, variant: Variant, keeping: Option<&[CacheEntry]>) -> Result<Duration> {
        let edit = self.edit(case)?;
        let built = self.build(variant, &self.chosen(case), keeping);
        edit.take_back()?;
        built
    }

    fn edit(&mut self, case: &Case) -> Result<Edit> {
        self.changes += 1;
        if let Some(change) = case.change(&self.project) {
            return self.copy.apply(change, self.changes);
        }
        match &self.project.bench.ignored {
            Some(ignored) if case.scenario == Scenario::DockerignoreOff => {
                self.copy.write_ignored(ignored, self.changes)?;
                self.copy.remove_ignore_files()
            }
            _ => Ok(Edit::none()),
        }
    }

    /// With `keeping`, all else is taken out of the engine's cache after each command where the disk gets full. It is
    /// not done without need: BuildKit then no longer finds steps of other images, which lie on its disk as before, and
    /// builds them again (Docker 28.5: whichever result goes, `COPY . .` runs anew in every image).
    fn build(&self, variant: Variant, pairs: &[&Pair], keeping: Option<&[CacheEntry]>) -> Result<Duration> {
        let log = self.work_dir.path("build.log");
        let Runner { docker, project, network, .. } = self;
        let inputs = Inputs { docker, project, network, host: self.environments.host() };
        let engine = self.environments.engine(variant);
        let mut took = Duration::ZERO;
        for mut command in variant.commands(&inputs, pairs)? {
            engine.inspect(|engine| engine.equip(&mut command));
            took += run_timed(&mut command, &log, self.interrupt)?;
            if let Some((engine, known)) = engine.zip(keeping)
                && self.work_dir.is_short_of_room()
            {
                engine.forget_since(known)?;
            }
        }
        Ok(took)
    }

    /// Whether every program has changed, where that is so for all or for none of them as the scenario wants it.
    fn differ(&self, case: &Case, variant: Variant, earlier: &[String]) -> Result<bool> {
        let now = self.programs(case, variant)?;
        let differing = now.iter().zip(earlier).filter(|(now, earlier)| now != earlier).count();
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
        let folder = self.work_dir.path("");
        let digest = |pair: &Pair| match (self.environments.engine(variant), self.environments.host()) {
            (Some(engine), _) => digest_in_image(engine, &variant.service(pair).image, &folder),
            (None, Some(host)) => digest_of_file(&host.program(pair.name())),
            (None, None) => bail!("{} has no place to build in", variant.name()),
        };
        self.chosen(case).into_iter().map(digest).collect()
    }

    fn chosen(&self, case: &Case) -> Vec<&Pair> {
        self.project.chosen(case.service.as_deref())
    }
}
