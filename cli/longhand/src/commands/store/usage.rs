//! What takes how much, by kind.

use clap::Args;
use engine::store::{Store, StoreError, keys::Kind};
use futures_util::TryStreamExt;
use serde::Serialize;

use crate::{
    connection::open_store,
    exit::Exit,
    sizes::format_bytes,
    table::table,
    terminal::{print, print_json},
};

#[derive(Args)]
pub(crate) struct UsageArgs {
    /// Print JSON: {objects, bytes} for each kind, and in all
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
struct Amount {
    objects: u64,
    bytes: u64,
}

#[derive(Debug, Default, Serialize)]
struct Usage {
    /// Recordings as they were handed in.
    uploads: Amount,
    /// Those on their way in, or left behind there.
    incoming: Amount,
    /// Plans and work units: what was decoded.
    audio: Amount,
    checkpoints: Amount,
    jobs: Amount,
    batches: Amount,
    /// Which job needs what.
    references: Amount,
    /// Parts of objects that were never finished.
    parts: Amount,
    /// Nothing that Longhand wrote.
    other: Amount,
    total: Amount,
}

impl Amount {
    fn add(&mut self, bytes: u64) {
        self.objects += 1;
        self.bytes += bytes;
    }
}

pub(crate) async fn run(args: UsageArgs) -> anyhow::Result<Exit> {
    let usage = measure(&open_store()?).await?;
    if args.json {
        print_json(&usage)?;
    } else {
        print(&table(["WHAT", "OBJECTS", "SIZE"], usage.rows()))?;
    }
    Ok(Exit::Done)
}

async fn measure(store: &Store) -> Result<Usage, StoreError> {
    let mut usage = Usage::default();
    let mut objects = store.objects("");
    while let Some(object) = objects.try_next().await? {
        usage.of(Kind::of(&object.key)).add(object.size);
        usage.total.add(object.size);
    }
    for part in store.abandoned_parts().await? {
        usage.parts.add(part.size);
        usage.total.add(part.size);
    }
    Ok(usage)
}

impl Usage {
    fn of(&mut self, kind: Kind<'_>) -> &mut Amount {
        match kind {
            Kind::Upload(_) => &mut self.uploads,
            Kind::Incoming(_) => &mut self.incoming,
            Kind::Plan(_) | Kind::Unit(_) => &mut self.audio,
            Kind::Checkpoint(_) => &mut self.checkpoints,
            Kind::Result(_) | Kind::Job(_) => &mut self.jobs,
            Kind::Batch(_) => &mut self.batches,
            Kind::Reference { .. } | Kind::JobRecording { .. } | Kind::Erasing { .. } => &mut self.references,
            Kind::Other => &mut self.other,
        }
    }

    fn rows(&self) -> [[String; 3]; 10] {
        [
            ("uploads", self.uploads),
            ("uploads on their way", self.incoming),
            ("audio", self.audio),
            ("checkpoints", self.checkpoints),
            ("jobs", self.jobs),
            ("batches", self.batches),
            ("references", self.references),
            ("unfinished parts", self.parts),
            ("other", self.other),
            ("in all", self.total),
        ]
        .map(|(name, amount)| [name.to_owned(), amount.objects.to_string(), format_bytes(amount.bytes)])
    }
}
