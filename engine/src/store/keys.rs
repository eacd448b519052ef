//! The names of objects. Nothing else in the project spells a key.

/// A source as it was handed in, by the SHA-256 of its bytes.
pub fn upload(sha256: &str) -> String {
    format!("uploads/{sha256}")
}

/// The SHA-256 in the key of a source that was handed in. Whoever writes such an object hashes its bytes on the way, so
/// the key says what they are.
pub fn upload_hash(key: &str) -> Option<&str> {
    const DIGITS: usize = 64;
    let is_digit = |digit: u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
    key.strip_prefix("uploads/").filter(|name| name.len() == DIGITS && name.bytes().all(is_digit))
}

/// A source on its way in, whose hash is not known yet.
pub fn incoming(name: &str) -> String {
    format!("uploads/incoming/{name}")
}

/// Where one segmentation of a recording lies: its plan, its units and their checkpoints.
pub fn plan_folder(audio_sha256: &str, segmentation: &str) -> String {
    format!("audio/{audio_sha256}/{segmentation}")
}

pub fn plan(folder: &str) -> String {
    format!("{folder}/plan.json")
}

/// A work unit's chunks.
pub fn unit(folder: &str, unit: u32) -> String {
    format!("{folder}/units/{unit:05}.json")
}

/// A work unit's audio: 16 kHz mono little-endian i16, its chunks one after the other.
pub fn unit_audio(folder: &str, unit: u32) -> String {
    format!("{folder}/units/{unit:05}.pcm")
}

/// A folder's checkpoints for one model and one set of parameters.
pub fn chunks(folder: &str, decode_config_hash: &str) -> String {
    format!("{folder}/chunks/{decode_config_hash}")
}

pub fn chunk(folder: &str, decode_config_hash: &str, chunk: u32) -> String {
    format!("{folder}/chunks/{decode_config_hash}/{chunk:06}.json")
}

/// The chunk's index in the key of its checkpoint.
pub fn chunk_index(key: &str) -> Option<u32> {
    key.rsplit('/').next()?.strip_suffix(".json")?.parse().ok()
}

/// The mark of a chunk that a run computed although it was finished already.
pub fn recomputed(folder: &str, decode_config_hash: &str, run_id: &str, chunk: u32) -> String {
    format!("{folder}/recomputed/{decode_config_hash}/{run_id}/{chunk:06}.json")
}

/// All such marks of a run.
pub fn recomputed_by(folder: &str, decode_config_hash: &str, run_id: &str) -> String {
    format!("{folder}/recomputed/{decode_config_hash}/{run_id}")
}

/// Says that a job needs a recording: what `uploads` and `audio` have of it stays while one does.
pub fn reference(audio_sha256: &str, job: &str) -> String {
    format!("references/{audio_sha256}/{job}")
}

/// All jobs that need a recording.
pub fn references(audio_sha256: &str) -> String {
    format!("references/{audio_sha256}")
}

pub fn transcript(job: &str) -> String {
    format!("jobs/{job}/transcript.json")
}

pub fn result(job: &str) -> String {
    format!("jobs/{job}/result.json")
}

/// An LLM task's answer, by the task's name.
pub fn llm_answer(job: &str, task: &str) -> String {
    format!("jobs/{job}/llm/{task}.json")
}

/// The tries to deliver a job's webhook.
pub fn deliveries(job: &str) -> String {
    format!("jobs/{job}/deliveries.json")
}

/// What a batch's jobs have in common, and where the pages of its recordings lie.
pub fn batch(batch: &str) -> String {
    format!("batches/{batch}/requests.json")
}

/// The pages of a batch's recordings, by a hash of all that is in them.
pub fn batch_pages(batch: &str, hash: &str) -> String {
    format!("batches/{batch}/{hash}")
}

pub fn batch_page(folder: &str, page: usize) -> String {
    format!("{folder}/{page:05}.json")
}

/// All answers of a job.
pub fn llm_answers(job: &str) -> String {
    format!("jobs/{job}/llm")
}

/// The task's name in the key of its answer.
pub fn llm_task(key: &str) -> Option<&str> {
    key.rsplit('/').next()?.strip_suffix(".json")
}

#[cfg(test)]
mod tests {
    use super::{incoming, upload, upload_hash};

    #[test]
    fn only_the_keys_of_uploads_hold_a_hash() {
        let hash = "0123456789abcdef".repeat(4);
        assert_eq!(upload_hash(&upload(&hash)), Some(hash.as_str()));
        for other in [incoming("0199"), upload("talk.mp3"), upload(&hash.to_uppercase()), format!("jobs/{hash}")] {
            assert_eq!(upload_hash(&other), None, "{other}");
        }
    }
}
