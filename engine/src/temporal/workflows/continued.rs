//! The input of a job's workflow. The units of a long recording make too much history for one run of it: where that is
//! so, it goes on as a new run, whose input tells what those before have done.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::clock::Clock;
use crate::{
    job::JobRequest,
    result::Timings,
    temporal::contracts::{Ingested, Prepared},
};

/// What is asked for, and where an earlier run has left it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct JobInput {
    #[serde(flatten)]
    pub(crate) request: JobRequest,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) continued: Option<Continued>,
}

/// Where a run left the job: the recording is ingested, and some of its units are recognised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Continued {
    /// The job's first run. Its id is in all checkpoints of the job, and tells them from those that were there before.
    pub(super) first_run: String,
    pub(super) clock: Clock,
    pub(super) timings: Timings,
    pub(super) ingested: Ingested,
    /// Without the prompt, which is in the request and may be long.
    pub(super) prepared: Prepared,
    /// The first unit that is not recognised.
    pub(super) next_unit: u32,
    pub(super) chunks_done: u32,
}

const CONTINUED: &str = "continued";

impl JobInput {
    /// # Errors
    /// It is no request, or has fields that none has.
    pub(crate) fn parse(mut input: Value) -> serde_json::Result<Self> {
        let continued = input.as_object_mut().and_then(|fields| fields.remove(CONTINUED));
        let request: JobRequest = serde_json::from_value(input)?;
        let mut continued: Option<Continued> = continued.map(serde_json::from_value).transpose()?;
        if let Some(continued) = &mut continued {
            continued.prepared.speech.prompt.clone_from(&request.speech.prompt);
        }
        Ok(Self { request, continued })
    }

    /// The input of the run after one that has done so much.
    pub(super) fn continued(request: JobRequest, mut done: Continued) -> serde_json::Result<Value> {
        done.prepared.speech.prompt = None;
        serde_json::to_value(Self { request, continued: Some(done) })
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use serde_json::json;

    use super::{Continued, Ingested, JobInput, JobRequest, Prepared, Timings};
    use crate::job::SpeechOptions;

    #[test]
    fn the_next_run_has_the_request_and_what_is_done() {
        let request: JobRequest =
            serde_json::from_value(json!({"source": {"path": "talk.mp3"}, "speech": {"prompt": "Pfannkuchen"}}))
                .unwrap();
        let clock = json!({"started": SystemTime::UNIX_EPOCH, "lap": SystemTime::UNIX_EPOCH});
        let speech = SpeechOptions { language: "de".to_owned(), ..request.speech.clone() };
        let done = Continued {
            first_run: "run-1".to_owned(),
            clock: serde_json::from_value(clock).unwrap(),
            timings: Timings { ingest_s: 7.0, ..Timings::default() },
            ingested: Ingested {
                folder: "audio/a/v3".to_owned(),
                audio_sha256: "a".to_owned(),
                duration_s: 360_000.0,
                units: 2_447,
                chunks: 24_000,
            },
            prepared: Prepared {
                speech,
                model_sha256: "m".to_owned(),
                recogniser: "none".to_owned(),
                decode_config_hash: "d".to_owned(),
            },
            next_unit: 2_000,
            chunks_done: 20_000,
        };
        let input = JobInput::continued(request.clone(), done.clone()).unwrap();
        assert_eq!(input.to_string().matches("Pfannkuchen").count(), 1, "{input}");
        let parsed = JobInput::parse(input).unwrap();
        assert_eq!(parsed, JobInput { request, continued: Some(done) });
        assert!(JobInput::parse(json!({"source": {"path": "talk.mp3"}, "sauce": 1})).is_err());
    }
}
