//! Joins the checkpoints of chunks to one transcript.

use std::collections::BTreeMap;

use engine::{
    error::StageError,
    plan::Plan,
    store::{Store, keys},
    temporal::contracts::{AssembleInput, Assembled},
    transcript::{ChunkTranscript, Segment, Transcript},
};
use futures_util::{StreamExt, TryStreamExt, stream};

/// Checkpoints read at the same time; matters where the store is far away.
const READS_IN_FLIGHT: usize = 32;

/// Reads every checkpoint in order, writes the transcript, and counts who computed what.
pub async fn assemble(store: &Store, input: &AssembleInput, run_id: &str) -> Result<Assembled, StageError> {
    join(store, input, (0..input.chunks).collect(), run_id).await
}

/// As [`assemble`], of those checkpoints that are there; `None` where none is.
pub(crate) async fn assemble_part(
    store: &Store,
    input: &AssembleInput,
    run_id: &str,
) -> Result<Option<Assembled>, StageError> {
    let found = store.list(&keys::chunks(&input.folder, &input.decode_config_hash)).await?;
    let mut chunks: Vec<u32> = found.iter().filter_map(|key| keys::chunk_index(key)).collect();
    if chunks.is_empty() {
        return Ok(None);
    }
    chunks.sort_unstable();
    join(store, input, chunks, run_id).await.map(Some)
}

async fn join(store: &Store, input: &AssembleInput, chunks: Vec<u32>, run_id: &str) -> Result<Assembled, StageError> {
    let mut chunks = stream::iter(chunks)
        .map(|chunk| async move {
            store.read_json::<ChunkTranscript>(&keys::chunk(&input.folder, &input.decode_config_hash, chunk)).await
        })
        .buffered(READS_IN_FLIGHT);
    let mut assembled = Assembled::default();
    let mut segments = Vec::new();
    // A job that was cancelled may have been so before there was a plan.
    let plan = store.find_json::<Plan>(&keys::plan(&input.folder)).await?;
    let mut warnings = plan.map(|plan| plan.warnings).unwrap_or_default();
    while let Some(chunk) = chunks.try_next().await? {
        if chunk.run_id == run_id {
            assembled.chunks_computed += 1;
            assembled.fallbacks += chunk.fallbacks;
            assembled.recogniser_s += chunk.seconds;
        } else {
            assembled.chunks_reused += 1;
        }
        segments.extend(chunk.segments);
        // What concerns the whole recording is told by every chunk.
        for warning in chunk.warnings {
            if !warnings.contains(&warning) {
                warnings.push(warning);
            }
        }
    }
    // Chunks of several channels lie side by side.
    if segments.iter().any(|segment| segment.channel.is_some()) {
        segments.sort_by(|one, other| one.start.total_cmp(&other.start));
    }
    for (id, segment) in segments.iter_mut().enumerate() {
        segment.id = u32::try_from(id).unwrap_or(u32::MAX);
    }
    let repeated = store.list(&keys::recomputed_by(&input.folder, &input.decode_config_hash, run_id)).await?;
    assembled.chunks_recomputed = u32::try_from(repeated.len()).unwrap_or(u32::MAX);
    let transcript = Transcript {
        text: text(&segments),
        language: most_spoken(&segments, &input.language),
        duration_s: input.duration_s,
        run_id: run_id.to_owned(),
        warnings,
        segments,
    };
    store.write_json(&keys::transcript(&input.job_id), &transcript).await?;
    Ok(assembled)
}

/// The text of all segments, in a line for each turn where they are of several channels.
fn text(segments: &[Segment]) -> String {
    let mut text = String::new();
    let mut channel = None;
    for segment in segments {
        if segment.channel != channel && !text.is_empty() {
            text.push('\n');
            text.push_str(segment.text.trim_start());
        } else {
            // Whisper's segments bring their own leading spaces, and none in languages that use none.
            text.push_str(&segment.text);
        }
        channel = segment.channel;
    }
    text.trim().to_owned()
}

/// The language of most seconds of speech; empty where nothing was said. `common` is that of segments which name none.
fn most_spoken(segments: &[Segment], common: &str) -> String {
    let mut seconds: BTreeMap<&str, f64> = BTreeMap::new();
    for segment in segments {
        *seconds.entry(segment.language.as_deref().unwrap_or(common)).or_default() += segment.end - segment.start;
    }
    let most = seconds.into_iter().max_by(|(_, left), (_, right)| left.total_cmp(right));
    most.map(|(language, _)| language.to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use engine::transcript::Segment;

    use super::most_spoken;

    #[test]
    fn the_language_of_most_seconds_is_the_recordings() {
        for (segments, language) in [
            (vec![], ""),
            (vec![(None, 0.0, 1.0)], "common"),
            (vec![(Some("en"), 0.0, 5.0), (Some("de"), 5.0, 7.0), (Some("de"), 7.0, 9.0)], "en"),
            (vec![(Some("en"), 0.0, 5.0), (Some("de"), 5.0, 8.0), (Some("de"), 8.0, 11.0)], "de"),
        ] {
            let segments: Vec<Segment> = segments
                .into_iter()
                .map(|(language, start, end)| Segment {
                    start,
                    end,
                    language: language.map(str::to_owned),
                    ..Segment::default()
                })
                .collect();
            assert_eq!(most_spoken(&segments, "common"), language, "{segments:?}");
        }
    }
}
