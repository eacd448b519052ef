//! What a result says of its job, without the text.

use std::{collections::BTreeMap, fmt, io::Read};

use serde::{
    Deserialize,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, Visitor},
};
use serde_json::{Map, Value};

use super::{JobStatus, Provenance, StageFailure, Timings};

/// A [`super::JobResult`] without text, segments and words: small, however long the recording. Read out of the same object.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ResultHead {
    pub job_id: String,
    #[serde(default)]
    pub run_id: String,
    pub status: JobStatus,
    #[serde(default)]
    pub errors: Vec<StageFailure>,
    pub language: String,
    pub duration_s: f64,
    pub llm: BTreeMap<String, Value>,
    pub timings: Timings,
    pub provenance: Provenance,
}

impl ResultHead {
    /// Whether there is text: of a job that was cancelled, what was recognised before.
    pub fn has_transcript(&self) -> bool {
        self.provenance.has_transcript(self.status)
    }

    /// Reads no further than the text, unless the result is one of those that had parts of the head after it.
    ///
    /// # Errors
    /// It is no result, or cannot be read.
    pub fn read(result: impl Read) -> Result<Self, serde_json::Error> {
        let mut fields = Fields { known: Map::new(), are_all: false };
        let mut json = serde_json::Deserializer::from_reader(result);
        let read = fields.deserialize(&mut json);
        if !fields.are_all {
            read?;
        }
        serde_json::from_value(Value::Object(fields.known))
    }
}

/// The fields without which there is no head.
const NEEDED: [&str; 7] = ["job_id", "status", "language", "duration_s", "llm", "timings", "provenance"];

struct Fields {
    known: Map<String, Value>,
    /// Nothing has to be read after them.
    are_all: bool,
}

impl<'de> DeserializeSeed<'de> for &mut Fields {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Fields {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a job's result")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        while let Some(name) = fields.next_key::<String>()? {
            if !matches!(name.as_str(), "text" | "segments" | "words") {
                self.known.insert(name, fields.next_value()?);
            } else if NEEDED.iter().all(|needed| self.known.contains_key(*needed)) {
                self.are_all = true;
                // The only way to stop in the middle of a document.
                return Err(A::Error::custom("the head has ended"));
            } else {
                fields.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}
