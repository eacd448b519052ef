//! What is to be built: the compose project with everything that the command line lays over it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{BuildArgs, overlay::overlay};
use crate::{
    compose::{BuildSection, NamedContext, Project, Service},
    hash::hexadecimal,
};

/// Raised when a field of the plan's JSON changes its meaning or goes away.
const FORMAT: u32 = 1;

#[derive(Debug, Serialize)]
pub(crate) struct Plan {
    pub(crate) format: u32,
    pub(crate) project: String,
    /// The most solves at one time.
    pub(crate) parallel: usize,
    /// Where it is built; by the engine where none is named.
    pub(crate) builders: Vec<String>,
    pub(crate) images: Vec<PlannedImage>,
    /// Tells the engine that two builds are of the same project on the same machine.
    #[serde(skip)]
    pub(crate) shared_key: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct PlannedImage {
    /// The service's name, which is what users call the image.
    pub(crate) name: String,
    /// The names under which the engine keeps it.
    pub(crate) tags: Vec<String>,
    pub(crate) push: bool,
    /// Images of this plan that it is built on.
    pub(crate) needs: Vec<String>,
    pub(crate) build: BuildSection,
}

impl Plan {
    pub(crate) fn new(mut project: Project, args: &BuildArgs) -> Result<Plan> {
        overlay(&mut project.services, args)?;
        let shared_key = shared_key(&project);
        let project_name = project.name.clone();
        let tags_of: BTreeMap<String, String> =
            project.services.iter().map(|service| (service.name.clone(), service.image.clone())).collect();
        let images = project.services.into_iter().map(|service| planned(service, args)).collect::<Result<Vec<_>>>()?;
        let (parallel, builders) = (parallel(args), args.builders.clone());
        let plan = Plan { format: FORMAT, project: project_name, parallel, builders, images, shared_key };
        plan.refuse_circles()?;
        plan.refuse_colliding_caches()?;
        plan.refuse_equal_tags(&tags_of)?;
        Ok(plan)
    }

    pub(crate) fn image(&self, name: &str) -> Option<&PlannedImage> {
        self.images.iter().find(|image| image.name == name)
    }

    /// Whether another image is built on it.
    pub(crate) fn is_needed(&self, image: &PlannedImage) -> bool {
        self.images.iter().any(|other| other.needs.contains(&image.name))
    }

    /// Waves of images that need nothing but earlier ones; what is left over needs itself.
    fn refuse_circles(&self) -> Result<()> {
        let mut done = BTreeSet::new();
        loop {
            let ready = |image: &&PlannedImage| {
                !done.contains(&image.name) && image.needs.iter().all(|need| done.contains(need))
            };
            let wave: Vec<String> = self.images.iter().filter(ready).map(|image| image.name.clone()).collect();
            if wave.is_empty() {
                break;
            }
            done.extend(wave);
        }
        let left: Vec<&str> =
            self.images.iter().map(|image| image.name.as_str()).filter(|name| !done.contains(*name)).collect();
        if !left.is_empty() {
            bail!("these images are built on each other in a circle: {}", left.join(", "));
        }
        Ok(())
    }

    /// Two images that export to one place overwrite each other's cache.
    fn refuse_colliding_caches(&self) -> Result<()> {
        let mut owners: BTreeMap<String, &str> = BTreeMap::new();
        for image in &self.images {
            for store in image.build.cache_to.iter().filter(|store| store.kind != "inline") {
                let place = format!("{} {:?}", store.kind, store.attributes);
                if let Some(other) = owners.insert(place, &image.name) {
                    bail!(
                        "`{other}` and `{}` export their caches to the same place and would overwrite each \
                         other's; give each a `ref` or `scope` of its own in `cache_to`",
                        image.name
                    );
                }
            }
        }
        Ok(())
    }

    fn refuse_equal_tags(&self, tags_of: &BTreeMap<String, String>) -> Result<()> {
        let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
        for (service, tag) in tags_of {
            if let Some(other) = owners.insert(tag, service) {
                bail!("`{other}` and `{service}` both build the image `{tag}`; give one of them another `image`");
            }
        }
        Ok(())
    }
}

/// Images of one project mostly wait for the same step; one that is held back is packed after the others.
const FEWEST_AT_ONCE: usize = 8;

fn parallel(args: &BuildArgs) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    args.jobs.map_or(cores.max(FEWEST_AT_ONCE), usize::from)
}

fn shared_key(project: &Project) -> String {
    let text = format!("{}\n{}", project.folder.display(), project.name);
    hexadecimal(&Sha256::digest(text))
}

fn planned(service: Service, args: &BuildArgs) -> Result<PlannedImage> {
    let Service { name, image, build, .. } = service;
    if build.platforms.len() > 1 && !args.push {
        bail!("`{name}` is for {} platforms; build one with --platform, or --push them all", build.platforms.len());
    }
    let needs = build
        .additional_contexts
        .values()
        .filter_map(|context| match context {
            NamedContext::Service(other) => Some(other.clone()),
            _ => None,
        })
        .collect();
    let mut tags = vec![image];
    tags.extend(build.tags.iter().cloned());
    Ok(PlannedImage { name, tags, push: args.push, needs, build })
}
