//! Images that need no solve: what goes into them is what went into them last time, and the engine still
//! has what came of it.
//!
//! What goes in is never guessed from a Dockerfile. It is what the engine was asked, what it was told of
//! this machine's folders, and the images that its steps began with. A solve that began with anything else,
//! such as a file from the web, is not remembered, for the engine itself asks for that every time.
//!
//! Images that are built from one folder share what is sent of it, so a change of what one of them takes
//! leads to a solve of all of them: rather one solve too many than one too few.

mod folders;
mod records;
mod request;
mod sources;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use anyhow::{Context, Result};
use futures_util::future::join_all;

use super::plan::{Plan, PlannedImage};
use crate::buildkit::{Engine, Listing, LoadedImage, Solved};
use folders::{KnownFolder, Snapshots};
use records::{CacheEntry, KnownImage, Records};
pub(super) use sources::Sources;

/// Images are solved again after this time, so that the engine sees its cache used and keeps it.
const REVALIDATE_AFTER: Duration = Duration::from_secs(12 * 3600);

pub(super) enum Decision {
    Unchanged { digest: String, size: u64 },
    Solve { because: String },
}

/// What is known of the last builds of a project's images.
pub(super) struct Memory<'a> {
    engine: &'a Engine,
    plan: &'a Plan,
    path: PathBuf,
    known: Records,
    snapshots: Arc<Snapshots>,
    /// What this build adds.
    additions: RefCell<Records>,
}

/// What was seen of a solve that succeeded.
pub(super) struct Observed {
    pub(super) started: SystemTime,
    pub(super) solved: Solved,
    pub(super) sources: Sources,
    /// Of the folders that the image is built from.
    pub(super) listings: Vec<Arc<Listing>>,
}

type Loaded = BTreeMap<String, Option<LoadedImage>>;

impl<'a> Memory<'a> {
    pub(super) fn open(engine: &'a Engine, plan: &'a Plan) -> Result<Memory<'a>> {
        let path = records::path(plan)?;
        let known = Records::load(&path);
        let snapshots = Arc::new(Snapshots::new(&known.folders));
        Ok(Memory { engine, plan, path, known, snapshots, additions: RefCell::default() })
    }

    /// Which images of the plan need a solve, and why.
    pub(super) async fn decide(&self) -> Result<BTreeMap<String, Decision>> {
        let mut decisions = BTreeMap::new();
        let mut candidates = Vec::new();
        for image in &self.plan.images {
            match self.candidate(image)? {
                Ok(known) => candidates.push((image, known)),
                Err(because) => drop(decisions.insert(image.name.clone(), Decision::Solve { because })),
            }
        }
        let (differences, loaded) = tokio::join!(self.differences(&candidates), self.loaded(&candidates));
        let (differences, loaded) = (differences?, loaded?);
        for (image, known) in candidates {
            let folder = known.folders.iter().find_map(|key| differences.get(key).cloned().flatten());
            let decision = match folder.or_else(|| difference_in_engine(image, known, &loaded)) {
                Some(because) => Decision::Solve { because },
                None => {
                    let size = loaded.get(&image.tags[0]).and_then(Option::as_ref).map_or(0, |image| image.size);
                    Decision::Unchanged { digest: known.digest.clone(), size }
                }
            };
            decisions.insert(image.name.clone(), decision);
        }
        self.follow_needs(&mut decisions);
        Ok(decisions)
    }

    /// What is known of an image, where that may be enough; else why it is not.
    fn candidate(&self, image: &PlannedImage) -> Result<Result<&KnownImage, String>> {
        if let Some(because) = request::always_solved(self.plan, image) {
            return Ok(Err(because));
        }
        let known = match self.known.images.get(&image.name) {
            None => return Ok(Err("no earlier build of it is known".to_owned())),
            Some(CacheEntry::NotCacheable { because }) => return Ok(Err(because.clone())),
            Some(CacheEntry::Known(known)) => known,
        };
        let age = SystemTime::now().duration_since(known.solved);
        Ok(if known.request != request::fingerprint(self.engine, self.plan, image)? {
            Err("what is asked of the engine, or the engine, is another one".to_owned())
        } else if age.is_err() || age.is_ok_and(|age| age > REVALIDATE_AFTER) {
            Err("its last solve is too long ago".to_owned())
        } else {
            Ok(known)
        })
    }

    /// What has changed in the folders of these images, by the folders' keys.
    async fn differences(
        &self,
        candidates: &[(&PlannedImage, &KnownImage)],
    ) -> Result<BTreeMap<String, Option<String>>> {
        let keys: BTreeSet<&String> = candidates.iter().flat_map(|(_, known)| &known.folders).collect();
        let mut folders: Vec<(String, KnownFolder)> =
            keys.into_iter().filter_map(|key| Some((key.clone(), self.known.folders.get(key)?.clone()))).collect();
        let compared = tokio::task::spawn_blocking(move || {
            let compare = |(key, folder): &mut (String, KnownFolder)| {
                let before = folder.clone();
                let difference = folder.difference().unwrap_or_else(|error| Some(error.to_string()));
                let restamped = (difference.is_none() && *folder != before).then(|| folder.clone());
                (key.clone(), difference, restamped)
            };
            folders.iter_mut().map(compare).collect::<Vec<_>>()
        });
        let mut differences = BTreeMap::new();
        for (key, difference, restamped) in compared.await.context("the folders could not be compared")? {
            if let Some(folder) = restamped {
                self.additions.borrow_mut().folders.insert(key.clone(), folder);
            }
            differences.insert(key, difference);
        }
        Ok(differences)
    }

    /// What the engine has under the names that matter, each asked for once.
    async fn loaded(&self, candidates: &[(&PlannedImage, &KnownImage)]) -> Result<Loaded> {
        let tags = candidates.iter().flat_map(|(image, _)| &image.tags);
        let bases = candidates.iter().flat_map(|(_, known)| known.bases.keys());
        let names: BTreeSet<&String> = tags.chain(bases).collect();
        let lookups = names.into_iter().map(|name| async { Ok((name.clone(), self.engine.image(name).await?)) });
        join_all(lookups).await.into_iter().collect()
    }

    /// An image that is built on another one is solved when that one is.
    fn follow_needs(&self, decisions: &mut BTreeMap<String, Decision>) {
        let solved = |decisions: &BTreeMap<String, Decision>, name: &String| {
            matches!(decisions.get(name), Some(Decision::Solve { .. }))
        };
        while let Some((image, need)) = self.plan.images.iter().find_map(|image| {
            let need = image.needs.iter().find(|need| solved(decisions, need))?;
            (!solved(decisions, &image.name)).then_some((image, need))
        }) {
            let because = format!("`{need}`, which it is built on, is solved");
            decisions.insert(image.name.clone(), Decision::Solve { because });
        }
    }

    /// Keeps what was seen of a solve for the next build.
    pub(super) async fn remember(&self, image: &PlannedImage, observed: Observed) -> Result<()> {
        if request::always_solved(self.plan, image).is_some() {
            return Ok(());
        }
        let entry = match self.known_after(image, observed).await? {
            Ok(known) => CacheEntry::Known(known),
            Err(because) => CacheEntry::NotCacheable { because },
        };
        self.additions.borrow_mut().images.insert(image.name.clone(), entry);
        Ok(())
    }

    /// Or why the next build has to solve it in any case.
    async fn known_after(&self, image: &PlannedImage, observed: Observed) -> Result<Result<KnownImage, String>> {
        let Observed { started, solved, sources, listings } = observed;
        if !solved.saw_every_step {
            return Ok(Err("not everything was told of its last solve".to_owned()));
        }
        let id = match self.id_of_all(&image.tags, &solved).await? {
            Some(id) => id,
            None => return Ok(Err("its name was given to another image while it was built".to_owned())),
        };
        let bases = match sources.ids(self.engine, started).await? {
            Ok(bases) => bases,
            Err(because) => return Ok(Err(because)),
        };
        let snapshots = Arc::clone(&self.snapshots);
        let taken = tokio::task::spawn_blocking(move || snapshots.take(&listings));
        let folders = match taken.await.context("the folders could not be read")? {
            Ok(folders) => folders,
            Err(because) => return Ok(Err(because)),
        };
        let keys = folders.iter().map(|(key, _)| key.clone()).collect();
        self.additions.borrow_mut().folders.extend(folders);
        let request = request::fingerprint(self.engine, self.plan, image)?;
        Ok(Ok(KnownImage { request, id, digest: solved.digest, solved: started, bases, folders: keys }))
    }

    /// The id under which the engine has the image by all of its names; none where a name is another's by now.
    async fn id_of_all(&self, tags: &[String], solved: &Solved) -> Result<Option<String>> {
        let mut found = None;
        for tag in tags {
            let id = self.engine.image(tag).await?.map(|image| image.id).unwrap_or_default();
            if id.is_empty() || (id != solved.digest && id != solved.config_digest) {
                return Ok(None);
            }
            found = Some(id);
        }
        Ok(found)
    }

    /// Writes what this build has added.
    pub(super) fn save(self) -> Result<()> {
        let additions = self.additions.into_inner();
        if additions.images.is_empty() && additions.folders.is_empty() {
            return Ok(());
        }
        additions.add_to(&self.path)
    }
}

fn difference_in_engine(image: &PlannedImage, known: &KnownImage, loaded: &Loaded) -> Option<String> {
    let id = |name: &String| loaded.get(name).and_then(Option::as_ref).map(|image| image.id.as_str());
    if let Some(tag) = image.tags.iter().find(|tag| id(tag) != Some(&known.id)) {
        return Some(format!("the engine has another image as {tag}, or none"));
    }
    let changed = known.bases.iter().find(|(name, base)| id(name) != Some(base));
    changed.map(|(name, _)| format!("its base {name} has changed"))
}
