//! The daemons that solve, each with its open sessions, and which of them gets which image.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use anyhow::{Result, bail};
use futures_util::future::join_all;
use tokio::sync::mpsc::Receiver;

use super::{
    plan::{Plan, PlannedImage},
    request::{MAIN_CONTEXT, Sessions, context_folder, context_folders, directories, named},
};
use crate::{
    builder::{hours, mounts_go_after},
    buildkit::{Builder, Offers, SentLog, Session, SharedDirectory, Solver, image_pipe},
    name::Name,
};

pub(super) struct Placement<'a> {
    plan: &'a Plan,
    sent: SentLog,
    nodes: Vec<Node>,
    /// Images that are built on each other go to the node that the first of them went to.
    node_of_group: RefCell<BTreeMap<&'a str, usize>>,
    /// Every image's group, called after one of its images.
    groups: BTreeMap<&'a str, &'a str>,
}

/// A daemon with what it may take from this machine.
struct Node {
    builder: Builder,
    /// Whether it is not the engine that the images are for.
    is_elsewhere: bool,
    host_gateway: Option<String>,
    session: Session,
    contexts: BTreeMap<PathBuf, Session>,
    /// Images that are being solved here.
    busy: Cell<usize>,
}

/// What an image is solved with, and its share of a node, until it is dropped.
pub(super) struct Slot<'a> {
    busy: Busy<'a>,
    context: Option<&'a Session>,
    own: Option<Session>,
}

/// One image's share of a node.
struct Busy<'a>(&'a Node);

impl<'a> Placement<'a> {
    /// The engine's own builder, or those that the user named instead.
    pub(super) async fn open(
        own: Option<Builder>,
        elsewhere: Vec<Builder>,
        plan: &'a Plan,
        sent: &SentLog,
    ) -> Result<Placement<'a>> {
        refuse_without_store(plan, &elsewhere)?;
        let own = own.into_iter().map(|builder| Node::open(builder, false, plan, sent));
        let elsewhere = elsewhere.into_iter().map(|builder| Node::open(builder, true, plan, sent));
        let nodes = join_all(own.chain(elsewhere)).await.into_iter().collect::<Result<_>>()?;
        Ok(Placement { plan, sent: sent.clone(), nodes, node_of_group: RefCell::default(), groups: groups(plan) })
    }

    /// The node that has the least to do, which has more to do from now on.
    fn occupy(&self, image: &PlannedImage) -> Busy<'_> {
        let least = || (0..self.nodes.len()).min_by_key(|index| self.nodes[*index].busy.get()).unwrap_or_default();
        let group = self.groups.get(image.name.as_str()).copied().unwrap_or_default();
        let index = *self.node_of_group.borrow_mut().entry(group).or_insert_with(least);
        let node = &self.nodes[index];
        node.busy.set(node.busy.get() + 1);
        Busy(node)
    }

    /// A slot for an image. What comes out of a daemon elsewhere comes out of the receiver.
    ///
    /// Two images may give different secrets the same id, so those that have any get a session to themselves, as
    /// does each that is sent.
    pub(super) async fn slot(&self, image: &PlannedImage) -> Result<(Slot<'_>, Option<Receiver<bytes::Bytes>>)> {
        let busy = self.occupy(image);
        let node = busy.0;
        let (sink, received) = if node.is_elsewhere && !image.push { Some(image_pipe()) } else { None }.unzip();
        let has_own = sink.is_some() || !image.build.secrets.is_empty() || !image.build.ssh.is_empty();
        let own = if has_own {
            let (secrets, ssh) = (image.build.secrets.clone(), image.build.ssh.clone());
            let offers = Offers { secrets, ssh, image: sink, ..Offers::default() };
            Some(Session::open(&node.builder, &self.plan.shared_key, offers, self.sent.clone()).await?)
        } else {
            None
        };
        let context = context_folder(image).and_then(|folder| node.contexts.get(folder));
        Ok((Slot { busy, context, own }, received))
    }
}

impl Placement<'_> {
    /// Whether the engine will drop the cache mounts that these images have, though the disk has room for them.
    pub(super) async fn gc_warning(&self) -> Result<Option<String>> {
        let Some(node) = self.nodes.first().filter(|node| !node.is_elsewhere) else {
            return Ok(None);
        };
        let worker = node.builder.worker().await?;
        let after = mounts_go_after(&node.builder.cache().await?, &worker.rules);
        Ok(after.map(|after| {
            format!(
                "the engine drops cache mounts that are not used for {}, because its cache is larger than it wants it to \
                 be; `{} builder config` shows rules that keep them",
                hours(after),
                Name::typed()
            )
        }))
    }
}

impl Slot<'_> {
    pub(super) fn solver(&self) -> Solver {
        self.busy.0.builder.solver()
    }

    /// Empty for the engine's own.
    pub(super) fn address(&self) -> String {
        let node = self.busy.0;
        if node.is_elsewhere { node.builder.address() } else { String::new() }
    }

    pub(super) fn sessions(&self) -> Sessions<'_> {
        let node = self.busy.0;
        let shared = &node.session;
        Sessions {
            folders: &shared.id,
            context: self.context.map(|session| session.id.as_str()),
            own: self.own.as_ref().map_or(&shared.id, |own| &own.id),
            host_gateway: node.host_gateway.as_deref(),
            sends_image: node.is_elsewhere,
        }
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.busy.set(self.0.busy.get() - 1);
    }
}

impl Node {
    async fn open(builder: Builder, is_elsewhere: bool, plan: &Plan, sent: &SentLog) -> Result<Node> {
        let folders = Offers { directories: directories(plan), ..Offers::default() };
        let session = Session::open(&builder, &plan.shared_key, folders, sent.clone()).await?;
        Ok(Node {
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
