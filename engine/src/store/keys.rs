//! The names of objects. Nothing else in the project spells a key.

mod kind;

pub use kind::Kind;

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

/// Folders of what the system writes for itself. Uploads are their owners', but for those on their way in.
const OWN_FOLDERS: [&str; 7] =
    ["audio/", "batches/", "erasing/", "jobs/", "probes/", "references/", "uploads/incoming/"];

/// Whether the system writes such objects for itself, so that no client can name one as its recording.
pub fn is_own(key: &str) -> bool {
    OWN_FOLDERS.iter().any(|folder| key.starts_with(folder))
}

/// What references call the recording at this key: its hash, or the name of an upload that was too large to get its hash
/// for a key. `None` for objects that are no uploads.
pub fn recording(key: &str) -> Option<&str> {
    match Kind::of(key) {
        Kind::Upload(recording) | Kind::Incoming(recording) => Some(recording),
        _ => None,
    }
}

/// A source on its way in, whose hash is not known yet.
pub fn incoming(name: &str) -> String {
    format!("uploads/incoming/{name}")
}

/// All segmentations of a recording.
pub fn audio(audio_sha256: &str) -> String {
    format!("audio/{audio_sha256}")
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

/// Says that every job that is in the store has references: those of the time before there were any have got theirs.
pub fn references_complete() -> String {
    "references/complete".to_owned()
}

/// Says that somebody erases a recording, and that nobody may begin to use it meanwhile.
pub fn erasing(recording: &str, eraser: &str) -> String {
    format!("erasing/{recording}/{eraser}")
}

/// All that erase a recording.
pub fn erasers(recording: &str) -> String {
    format!("erasing/{recording}")
}

/// All jobs.
pub fn jobs() -> String {
    "jobs".to_owned()
}

/// All that a job leaves.
pub fn job(job: &str) -> String {
    format!("jobs/{job}")
}

/// The job's side of a reference: a job is erased without a search through all references.
pub fn job_recording(job: &str, recording: &str) -> String {
    format!("jobs/{job}/recordings/{recording}")
}

/// All recordings that a job needs.
pub fn job_recordings(job: &str) -> String {
    format!("jobs/{job}/recordings")
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

/// What a language model has said so far of a task whose answer is not there yet.
pub fn notes(job: &str, task: &str) -> String {
    format!("jobs/{job}/notes/{task}")
}

/// One reply among them, by the hash of what was asked of which model.
pub fn note(job: &str, task: &str, asked: &str) -> String {
    format!("jobs/{job}/notes/{task}/{asked}.json")
}

/// The tries to deliver one message, by the message's id.
pub fn deliveries_of(job: &str, message: &str) -> String {
    format!("jobs/{job}/deliveries/{message}.json")
}

/// The tries to deliver all messages of a job: each of its runs has one.
pub fn deliveries(job: &str) -> String {
    format!("jobs/{job}/deliveries")
}

/// What a batch's jobs have in common, and where the pages of its recordings lie.
pub fn batch(batch: &str) -> String {
    format!("batches/{batch}/requests.json")
}

/// Written and removed again, to learn whether that is possible.
pub fn probe(name: &str) -> String {
    format!("probes/{name}")
}

/// All that a batch leaves.
pub fn batch_folder(batch: &str) -> String {
    format!("batches/{batch}")
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
    use super::{
        batch, chunk, deliveries, incoming, is_own, llm_answer, plan, plan_folder, recomputed, recording, reference,
        result, transcript, unit, unit_audio, upload, upload_hash,
    };

    #[test]
    fn what_the_system_writes_is_no_recording() {
        let folder = plan_folder("a", "b");
        let own = [
            [batch("a"), deliveries("a"), incoming("a"), llm_answer("a", "b"), plan(&folder), reference("a", "b")],
            [result("a"), transcript("a"), unit(&folder, 1), unit_audio(&folder, 1), chunk(&folder, "a", 1), folder],
        ];
        for key in own.into_iter().flatten().chain([recomputed("audio/a", "b", "c", 1)]) {
            assert!(is_own(&key), "{key}");
        }
        for source in [upload("a"), "talks/jobs/a.mp3".to_owned(), "audio.mp3".to_owned()] {
            assert!(!is_own(&source), "{source}");
        }
    }

    #[test]
    fn only_the_keys_of_uploads_hold_a_hash() {
        let hash = "0123456789abcdef".repeat(4);
        assert_eq!(upload_hash(&upload(&hash)), Some(hash.as_str()));
        for other in [incoming("0199"), upload("talk.mp3"), upload(&hash.to_uppercase()), format!("jobs/{hash}")] {
            assert_eq!(upload_hash(&other), None, "{other}");
        }
    }

    #[test]
    fn an_upload_is_a_recording_under_either_of_its_keys() {
        let hash = "0123456789abcdef".repeat(4);
        assert_eq!(recording(&upload(&hash)), Some(hash.as_str()));
        assert_eq!(recording(&incoming("0199")), Some("0199"));
        for other in [upload("talk.mp3"), incoming("a/b"), format!("jobs/{hash}"), "uploads".to_owned()] {
            assert_eq!(recording(&other), None, "{other}");
        }
    }
}
