//! A folder store whose power fails: at one of its writes, in one of the ways in which that can be met.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use engine::store::Store;
use futures_util::stream::BoxStream;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, local::LocalFileSystem, path::Path,
};

/// How a write is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Nothing of it is there.
    Before,
    /// All of it is there, but nobody hears of it.
    After,
    /// It is there in name.
    Empty,
    /// Half of it is there.
    Torn,
    /// Half of it is there, and everything goes on: the disk had promised more than it kept.
    TornUnnoticed,
}

impl Cut {
    pub(crate) const ALL: [Self; 5] = [Self::Before, Self::After, Self::Empty, Self::Torn, Self::TornUnnoticed];
}

#[derive(Debug)]
pub(crate) struct CutOffStore {
    disk: LocalFileSystem,
    /// Counted from 0; none where all goes well.
    at: Option<(u32, Cut)>,
    writes: Arc<AtomicU32>,
    is_off: AtomicBool,
}

impl fmt::Display for CutOffStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a store that is cut off at {:?}", self.at)
    }
}

/// The store of a folder, and how many writes it has had.
pub(crate) fn open(folder: &std::path::Path, at: Option<(u32, Cut)>) -> (Store, Arc<AtomicU32>) {
    let writes = Arc::new(AtomicU32::new(0));
    let disk = LocalFileSystem::new_with_prefix(folder).unwrap();
    let store = CutOffStore { disk, at, writes: Arc::clone(&writes), is_off: false.into() };
    (Store::over(Arc::new(store)), writes)
}

impl CutOffStore {
    /// How this write is met, if it is the one.
    fn next_write(&self) -> Result<Option<Cut>> {
        self.check_power()?;
        let write = self.writes.fetch_add(1, Ordering::SeqCst);
        Ok(self.at.filter(|(at, _)| *at == write).map(|(_, cut)| cut))
    }

    fn check_power(&self) -> Result<()> {
        if self.is_off.load(Ordering::SeqCst) { Err(power_failure()) } else { Ok(()) }
    }

    fn cut(&self) -> Error {
        self.is_off.store(true, Ordering::SeqCst);
        power_failure()
    }
}

fn power_failure() -> Error {
    Error::Generic { store: "cut off", source: "the power has failed".into() }
}

fn half(payload: &PutPayload) -> PutPayload {
    let bytes: Vec<u8> = payload.iter().flat_map(|piece| piece.to_vec()).collect();
    PutPayload::from(Bytes::copy_from_slice(&bytes[..bytes.len() / 2]))
}

#[async_trait]
impl ObjectStore for CutOffStore {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        match self.next_write()? {
            None => self.disk.put_opts(location, payload, options).await,
            Some(Cut::Before) => Err(self.cut()),
            Some(Cut::After) => {
                self.disk.put_opts(location, payload, options).await?;
                Err(self.cut())
            }
            Some(Cut::Empty) => {
                self.disk.put(location, PutPayload::new()).await?;
                Err(self.cut())
            }
            Some(Cut::Torn) => {
                self.disk.put(location, half(&payload)).await?;
                Err(self.cut())
            }
            Some(Cut::TornUnnoticed) => self.disk.put(location, half(&payload)).await,
        }
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.check_power()?;
        self.disk.get_opts(location, options).await
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.disk.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.check_power()?;
        self.disk.list_with_delimiter(prefix).await
    }

    // Nothing between a recording and its result does any of these.

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        Err(power_failure())
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.disk.delete_stream(locations)
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        Err(power_failure())
    }
}
