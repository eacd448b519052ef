//! What an object is, by its key: for those that go through the whole store.

use super::upload_hash;

/// An object's place in the layout, with the names in its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind<'a> {
    /// A source that was handed in, by the hash of its bytes.
    Upload(&'a str),
    /// A source on its way in, or too large to be renamed.
    Incoming(&'a str),
    /// A plan of a recording.
    Plan(&'a str),
    /// A work unit of a recording: its chunks or its PCM.
    Unit(&'a str),
    /// Recognised text of a recording's chunk, or the mark of one that was computed twice.
    Checkpoint(&'a str),
    Reference {
        recording: &'a str,
        job: &'a str,
    },
    Erasing {
        recording: &'a str,
        eraser: &'a str,
    },
    /// The result of a job that has ended.
    Result(&'a str),
    JobRecording {
        job: &'a str,
        recording: &'a str,
    },
    /// Anything else of a job.
    Job(&'a str),
    Batch(&'a str),
    /// Nothing of Longhand's.
    Other,
}

impl<'a> Kind<'a> {
    pub fn of(key: &'a str) -> Self {
        let parts: Vec<&str> = key.split('/').collect();
        match parts[..] {
            ["uploads", "incoming", name] => Self::Incoming(name),
            ["uploads", _] => upload_hash(key).map_or(Self::Other, Self::Upload),
            ["audio", recording, _, "plan.json"] => Self::Plan(recording),
            ["audio", recording, _, "chunks" | "recomputed", ..] => Self::Checkpoint(recording),
            ["audio", recording, _, ..] => Self::Unit(recording),
            ["references", recording, job] => Self::Reference { recording, job },
            ["erasing", recording, eraser] => Self::Erasing { recording, eraser },
            ["jobs", job, "result.json"] => Self::Result(job),
            ["jobs", job, "recordings", recording] => Self::JobRecording { job, recording },
            ["jobs", job, ..] => Self::Job(job),
            ["batches", batch, ..] => Self::Batch(batch),
            _ => Self::Other,
        }
    }

    /// The recording that the object is a part of.
    pub fn recording(self) -> Option<&'a str> {
        match self {
            Self::Upload(recording)
            | Self::Incoming(recording)
            | Self::Plan(recording)
            | Self::Unit(recording)
            | Self::Checkpoint(recording) => Some(recording),
            _ => None,
        }
    }

    /// The job whose folder the object is in.
    pub fn job(self) -> Option<&'a str> {
        match self {
            Self::Result(job) | Self::JobRecording { job, .. } | Self::Job(job) => Some(job),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Kind;
    use crate::store::keys;

    #[test]
    fn every_key_that_is_made_is_known_again() {
        let sha256 = "0123456789abcdef".repeat(4);
        let folder = keys::plan_folder(&sha256, "v3-180s");
        for (key, kind) in [
            (keys::upload(&sha256), Kind::Upload(&sha256)),
            (keys::incoming("0199"), Kind::Incoming("0199")),
            (keys::plan(&folder), Kind::Plan(&sha256)),
            (keys::unit(&folder, 1), Kind::Unit(&sha256)),
            (keys::unit_audio(&folder, 1), Kind::Unit(&sha256)),
            (keys::chunk(&folder, "abc", 1), Kind::Checkpoint(&sha256)),
            (keys::recomputed(&folder, "abc", "run", 1), Kind::Checkpoint(&sha256)),
            (keys::reference(&sha256, "acme:talk"), Kind::Reference { recording: &sha256, job: "acme:talk" }),
            (keys::erasing(&sha256, "talk"), Kind::Erasing { recording: &sha256, eraser: "talk" }),
            (keys::result("talk"), Kind::Result("talk")),
            (keys::job_recording("talk", &sha256), Kind::JobRecording { job: "talk", recording: &sha256 }),
            (keys::transcript("talk"), Kind::Job("talk")),
            (keys::llm_answer("talk", "summary"), Kind::Job("talk")),
            (keys::deliveries("talk"), Kind::Job("talk")),
            (keys::batch("talks"), Kind::Batch("talks")),
            (keys::references_complete(), Kind::Other),
            ("uploads/talk.mp3".to_owned(), Kind::Other),
        ] {
            assert_eq!(Kind::of(&key), kind, "{key}");
        }
    }
}
