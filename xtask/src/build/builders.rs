//! The daemons that solve: each with its open sessions.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;

use super::plan::{Plan, PlannedImage};
use super::request::{MAIN_CONTEXT, Sessions, context_folder, context_folders, directories, named};
use crate::buildkit::{Engine, Offers, SentLog, Session, SharedDirectory, Solver};

pub(super) struct Builders<'a> {
    engine: &'a Engine,
    plan: &'a Plan,
    sent: SentLog,
    solver: Solver,
    host_gateway: Option<String>,
    session: Session,
    contexts: BTreeMap<PathBuf, Session>,
}

/// Where an image is solved.
pub(super) struct Place<'a> {
    builder: &'a Builders<'a>,
    context: Option<&'a Session>,
    own: Option<Session>,
}

impl<'a> Builders<'a> {
    pub(super) async fn open(engine: &'a Engine, plan: &'a Plan, sent: &SentLog) -> Result<Builders<'a>> {
        let folders = Offers { directories: directories(plan), ..Offers::default() };
        let session = Session::open(engine, &plan.shared_key, folders, sent.clone()).await?;
        Ok(Builders {
            engine,
            plan,
            sent: sent.clone(),
            solver: engine.solver().await?,
            host_gateway: engine.host_gateway().await?,
            session,
            contexts: context_sessions(engine, plan, sent).await?,
        })
    }

    /// Two images may give different secrets the same id, so those that have any get a session
    /// to themselves.
    pub(super) async fn place(&self, image: &PlannedImage) -> Result<Place<'_>> {
        let own = if image.build.secrets.is_empty() && image.build.ssh.is_empty() {
            None
        } else {
            let offers =
                Offers { secrets: image.build.secrets.clone(), ssh: image.build.ssh.clone(), ..Offers::default() };
            Some(Session::open(self.engine, &self.plan.shared_key, offers, self.sent.clone()).await?)
        };
        let context = context_folder(image).and_then(|folder| self.contexts.get(folder));
        Ok(Place { builder: self, context, own })
    }
}

impl Place<'_> {
    pub(super) fn solver(&self) -> &Solver {
        &self.builder.solver
    }

    pub(super) fn sessions(&self) -> Sessions<'_> {
        let shared = &self.builder.session;
        Sessions {
            folders: &shared.id,
            context: self.context.map(|session| session.id.as_str()),
            own: self.own.as_ref().map_or(&shared.id, |own| &own.id),
            host_gateway: self.builder.host_gateway.as_deref(),
        }
    }
}

/// One session per folder, however many images are built from it.
async fn context_sessions(engine: &Engine, plan: &Plan, sent: &SentLog) -> Result<BTreeMap<PathBuf, Session>> {
    let mut sessions = BTreeMap::new();
    for folder in context_folders(plan) {
        let directory = SharedDirectory::Folder(folder.to_owned());
        let offers = Offers { directories: [(MAIN_CONTEXT.to_owned(), directory)].into(), ..Offers::default() };
        let shared_key = format!("{}-{}", plan.shared_key, named("context", &folder.to_string_lossy()));
        sessions.insert(folder.to_owned(), Session::open(engine, &shared_key, offers, sent.clone()).await?);
    }
    Ok(sessions)
}
