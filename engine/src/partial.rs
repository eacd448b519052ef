//! The text so far of a job that goes on, or that ended before all of it was recognised: what its checkpoints hold.

use std::collections::HashMap;

use futures_util::{StreamExt, TryStreamExt, future::BoxFuture, stream};

use crate::{
    result::{JobResult, JobStatus, Provenance, ResultHead},
    store::{Store, StoreError, keys},
    temporal::progress::JobProgress,
    transcript::{ChunkTranscript, Segment, Transcript},
};

/// Checkpoints read at the same time; matters where the store is far away.
const READS_IN_FLIGHT: usize = 32;

/// A job of whose text there is a part.
#[derive(Debug, Clone)]
pub struct PartialJob {
    run_id: String,
    status: JobStatus,
    /// Where its checkpoints lie; empty until that is known.
    checkpoints: String,
    chunks_total: u32,
    duration_s: f64,
}

impl From<&JobProgress> for PartialJob {
    fn from(progress: &JobProgress) -> Self {
        let JobProgress { run_id, status, folder, decode_config_hash, chunks_total, duration_s, .. } = progress;
        let is_settled = !folder.is_empty() && !decode_config_hash.is_empty();
        let checkpoints = if is_settled { keys::chunks(folder, decode_config_hash) } else { String::new() };
        let (run_id, status) = (run_id.clone(), *status);
        Self { run_id, status, checkpoints, chunks_total: *chunks_total, duration_s: *duration_s }
    }
}

impl From<&ResultHead> for PartialJob {
    fn from(head: &ResultHead) -> Self {
        let Provenance { checkpoints, chunks_total, .. } = &head.provenance;
        Self {
            run_id: head.run_id.clone(),
            status: head.status,
            checkpoints: checkpoints.clone(),
            chunks_total: *chunks_total,
            duration_s: head.duration_s,
        }
    }
}

impl PartialJob {
    /// Its text, in the order in which it was said. `name` is what the result calls the job.
    ///
    /// # Errors
    /// Those of the store. A checkpoint that cannot be read counts as not there.
    pub fn text<'a>(&'a self, store: &'a Store, name: &'a str) -> BoxFuture<'a, Result<JobResult, StoreError>> {
        Box::pin(async move {
            let chunks = if self.checkpoints.is_empty() { Vec::new() } else { self.chunks(store).await? };
            Ok(self.joined(name, chunks))
        })
    }

    async fn chunks(&self, store: &Store) -> Result<Vec<ChunkTranscript>, StoreError> {
        let mut found = store.list(&self.checkpoints).await?;
        found.retain(|key| keys::chunk_index(key).is_some());
        found.sort_unstable();
        let reads = stream::iter(found).map(|key| async move { store.find_json::<ChunkTranscript>(&key).await });
        let chunks: Vec<_> = reads.buffered(READS_IN_FLIGHT).try_collect().await?;
        Ok(chunks.into_iter().flatten().collect())
    }

    fn joined(&self, name: &str, chunks: Vec<ChunkTranscript>) -> JobResult {
        let (computed, reused): (Vec<_>, Vec<_>) = chunks.iter().partition(|chunk| chunk.run_id == self.run_id);
        let [chunks_computed, chunks_reused] =
            [computed.len(), reused.len()].map(|count| u32::try_from(count).unwrap_or(u32::MAX));
        let language = most_spoken(&chunks);
        let mut warnings = Vec::new();
        let mut segments = Vec::new();
        for chunk in chunks {
            warnings.extend(chunk.warnings);
            segments.extend(chunk.segments);
        }
        segments.sort_by(|one: &Segment, other| one.start.total_cmp(&other.start));
        for (id, segment) in (0..).zip(&mut segments) {
            segment.id = id;
        }
        // Whisper's segments bring their own leading spaces, and none in languages that use none.
        let text: String = segments.iter().map(|segment| segment.text.as_str()).collect();
        let transcript = Transcript {
            text: text.trim().to_owned(),
            language,
            duration_s: self.duration_s,
            run_id: self.run_id.clone(),
            warnings,
            segments,
        };
        let provenance = Provenance {
            checkpoints: self.checkpoints.clone(),
            chunks_total: self.chunks_total,
            chunks_computed,
            chunks_reused,
            ..Provenance::default()
        };
        JobResult { status: self.status, provenance, ..JobResult::so_far(name.to_owned(), transcript) }
    }
}

/// Empty where nothing was said.
fn most_spoken(chunks: &[ChunkTranscript]) -> String {
    let mut spoken: HashMap<&str, f64> = HashMap::new();
    for chunk in chunks {
        for segment in &chunk.segments {
            let language = segment.language.as_ref().unwrap_or(&chunk.language);
            *spoken.entry(language).or_default() += segment.end - segment.start;
        }
    }
    let most = spoken.into_iter().max_by(|(_, one), (_, other)| one.total_cmp(other));
    most.map(|(language, _)| language.to_owned()).unwrap_or_default()
}
