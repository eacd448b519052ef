//! The daemons that solve, each with its open sessions, and which of them gets which image.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Result, bail};
use futures_util::future::join_all;
use tokio::sync::mpsc::Receiver;

use super::plan::{Plan, PlannedImage};
use super::request::{MAIN_CONTEXT, Sessions, context_folder, context_folders, directories, named};
use crate::builder::{hours, mounts_go_after};
use crate::buildkit::{Builder, Offers, SentLog, Session, SharedDirectory, Solver, image_pipe};

pub(super) struct Builders<'a> {
    plan: &'a Plan,
    sent: SentLog,
    sites: Vec<Site>,
    /// Images that are built on each other go to the site that the first of them went to.
    site_of_group: RefCell<BTreeMap<&'a str, usize>>,
    /// Every image's group, called after one of its images.
    groups: BTreeMap<&'a str, &'a str>,
}

/// A daemon with what it may take from this machine.
struct Site {
    builder: Builder,
    /// Whether it is not the engine that the images are for.
    is_elsewhere: bool,
    host_gateway: Option<String>,
    session: Session,
    contexts: BTreeMap<PathBuf, Session>,
    /// Images that are being solved here.
    busy: Cell<usize>,
}

/// Where an image is solved.
pub(super) struct Place<'a> {
    busy: Busy<'a>,
    context: Option<&'a Session>,
    own: Option<Session>,
}

/// One image's share of a site.
struct Busy<'a>(&'a Site);

impl<'a> Builders<'a> {
    /// The engine's own builder, or those that the user named instead.
    pub(super) async fn open(
        own: Option<Builder>,
        elsewhere: Vec<Builder>,
        plan: &'a Plan,
        sent: &SentLog,
    ) -> Result<Builders<'a>> {
        refuse_without_store(plan, &elsewhere)?;
        let own = own.into_iter().map(|builder| Site::open(builder, false, plan, sent));
        let elsewhere = elsewhere.into_iter().map(|builder| Site::open(builder, true, plan, sent));
        let sites = join_all(own.chain(elsewhere)).await.into_iter().collect::<Result<_>>()?;
        Ok(Builders { plan, sent: sent.clone(), sites, site_of_group: RefCell::default(), groups: groups(plan) })
    }

    /// The site that has the least to do, which has more to do from now on.
    fn occupy(&self, image: &PlannedImage) -> Busy<'_> {
        let least = || (0..self.sites.len()).min_by_key(|index| self.sites[*index].busy.get()).unwrap_or_default();
        let group = self.groups.get(image.name.as_str()).copied().unwrap_or_default();
        let index = *self.site_of_group.borrow_mut().entry(group).or_insert_with(least);
        let site = &self.sites[index];
        site.busy.set(site.busy.get() + 1);
        Busy(site)
    }

    /// A place for an image. What comes out of a daemon elsewhere comes out of the receiver.
    ///
    /// Two images may give different secrets the same id, so those that have any get a session to themselves, as
    /// does each that is sent.
    pub(super) async fn place(&self, image: &PlannedImage) -> Result<(Place<'_>, Option<Receiver<bytes::Bytes>>)> {
        let busy = self.occupy(image);
        let site = busy.0;
        let (sink, received) = if site.is_elsewhere && !image.push { Some(image_pipe()) } else { None }.unzip();
        let has_own = sink.is_some() || !image.build.secrets.is_empty() || !image.build.ssh.is_empty();
        let own = if has_own {
            let (secrets, ssh) = (image.build.secrets.clone(), image.build.ssh.clone());
            let offers = Offers { secrets, ssh, image: sink, ..Offers::default() };
            Some(Session::open(&site.builder, &self.plan.shared_key, offers, self.sent.clone()).await?)
        } else {
            None
        };
        let context = context_folder(image).and_then(|folder| site.contexts.get(folder));
        Ok((Place { busy, context, own }, received))
    }
}

impl Builders<'_> {
    /// Whether the engine will drop the cache mounts that these images have, though the disk has room for them.
    pub(super) async fn threat_to_mounts(&self) -> Result<Option<String>> {
        let Some(site) = self.sites.first().filter(|site| !site.is_elsewhere) else {
            return Ok(None);
        };
        let worker = site.builder.worker().await?;
        let after = mounts_go_after(&site.builder.cache().await?, &worker.rules);
        Ok(after.map(|after| {
            format!(
                "the engine drops cache mounts that are not used for {}, because its cache is larger than it wants it to \
                 be; `cargo xtask builder config` shows rules that keep them",
                hours(after)
            )
        }))
    }
}

impl Place<'_> {
    pub(super) fn solver(&self) -> Solver {
        self.busy.0.builder.solver()
    }

    /// Empty for the engine's own.
    pub(super) fn address(&self) -> String {
        let site = self.busy.0;
        if site.is_elsewhere { site.builder.address() } else { String::new() }
    }

    pub(super) fn sessions(&self) -> Sessions<'_> {
        let site = self.busy.0;
        let shared = &site.session;
        Sessions {
            folders: &shared.id,
            context: self.context.map(|session| session.id.as_str()),
            own: self.own.as_ref().map_or(&shared.id, |own| &own.id),
            host_gateway: site.host_gateway.as_deref(),
            sends_image: site.is_elsewhere,
        }
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.busy.set(self.0.busy.get() - 1);
    }
}

impl Site {
    async fn open(builder: Builder, is_elsewhere: bool, plan: &Plan, sent: &SentLog) -> Result<Site> {
        let folders = Offers { directories: directories(plan), ..Offers::default() };
        let session = Session::open(&builder, &plan.shared_key, folders, sent.clone()).await?;
        Ok(Site {
            host_gateway: builder.host_gateway().await?,
            contexts: context_sessions(&builder, plan, sent).await?,
            builder,
            is_elsewhere,
            session,
            busy: Cell::new(0),
        })
    }
}

/// A daemon that is no engine keeps no images for others to be built upon.
fn refuse_without_store(plan: &Plan, elsewhere: &[Builder]) -> Result<()> {
    let built_on_another = plan.images.iter().find_map(|image| Some((image, image.needs.first()?)));
    if let Some(builder) = elsewhere.iter().find(|builder| !builder.is_engine())
        && let Some((image, need)) = built_on_another
    {
        bail!(
            "`{}` is built on `{need}`, which the builder at {} cannot keep for it; name engines only, or build without \
             --builder",
            image.name,
            builder.address()
        );
    }
    Ok(())
}

/// One session per folder, however many images are built from it.
async fn context_sessions(builder: &Builder, plan: &Plan, sent: &SentLog) -> Result<BTreeMap<PathBuf, Session>> {
    let mut sessions = BTreeMap::new();
    for folder in context_folders(plan) {
        let directory = SharedDirectory::Folder(folder.to_owned());
        let offers = Offers { directories: [(MAIN_CONTEXT.to_owned(), directory)].into(), ..Offers::default() };
        let shared_key = format!("{}-{}", plan.shared_key, named("context", &folder.to_string_lossy()));
        sessions.insert(folder.to_owned(), Session::open(builder, &shared_key, offers, sent.clone()).await?);
    }
    Ok(sessions)
}

/// Images that are built on each other, directly or not, belong together.
fn groups(plan: &Plan) -> BTreeMap<&str, &str> {
    let mut groups: BTreeMap<&str, &str> =
        plan.images.iter().map(|image| (image.name.as_str(), image.name.as_str())).collect();
    for image in &plan.images {
        let joined: BTreeSet<&str> = image.needs.iter().filter_map(|need| groups.get(need.as_str()).copied()).collect();
        let group = groups.get(image.name.as_str()).copied().unwrap_or_default();
        groups.values_mut().filter(|known| joined.contains(**known)).for_each(|known| *known = group);
    }
    groups
}
