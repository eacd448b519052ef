//! Writes a job's result, and takes later LLM answers into it.

use std::collections::BTreeMap;

use engine::{
    error::StageError,
    llm::LlmAnswer,
    references,
    result::{JobResult, JobStatus, Provenance, VERSION},
    store::{Store, keys},
    temporal::contracts::{Amendment, Conclusion},
    transcript::Transcript,
};

/// Writes the result of a job that ended, however it ended.
pub(crate) async fn conclude(store: &Store, conclusion: Conclusion) -> Result<(), StageError> {
    let job_id = conclusion.job_id.clone();
    // A job that was ingested before there were references gets its own now.
    if let (Some(ingested), Ok(job)) = (&conclusion.ingested, job_id.parse()) {
        references::add(store, &ingested.audio_sha256, &job).await?;
    }
    let transcript = match &conclusion.assembled {
        Some(_) => Some(store.read_json::<Transcript>(&keys::transcript(&job_id)).await?),
        None => None,
    };
    let mut answers = BTreeMap::new();
    for task in conclusion.llm.keys() {
        let answer: LlmAnswer = store.read_json(&keys::llm_answer(&job_id, task)).await?;
        answers.insert(task.clone(), answer.output);
    }
    let result = result(conclusion, transcript, answers);
    store.write_json(&keys::result(&job_id), &result).await?;
    Ok(())
}

fn result(
    conclusion: Conclusion,
    transcript: Option<Transcript>,
    llm: BTreeMap<String, serde_json::Value>,
) -> JobResult {
    let duration_s = conclusion.ingested.as_ref().map(|ingested| ingested.duration_s).unwrap_or_default();
    let mut timings = conclusion.timings;
    timings.recogniser_s = conclusion.assembled.map(|assembled| assembled.recogniser_s).unwrap_or_default();
    let provenance = provenance(&conclusion);
    let transcript = transcript.unwrap_or_else(|| Transcript {
        text: String::new(),
        language: String::new(),
        duration_s,
        segments: Vec::new(),
    });
    JobResult {
        version: VERSION,
        job_id: conclusion.job_id,
        status: conclusion.status,
        errors: conclusion.errors,
        text: transcript.text,
        language: transcript.language,
        duration_s,
        segments: transcript.segments,
        llm,
        timings,
        provenance,
    }
}

fn provenance(conclusion: &Conclusion) -> Provenance {
    let ingested = conclusion.ingested.clone();
    let prepared = conclusion.prepared.clone();
    let assembled = conclusion.assembled.unwrap_or_default();
    let checkpoints = ingested.as_ref().zip(prepared.as_ref());
    Provenance {
        checkpoints: checkpoints
            .map(|(ingested, prepared)| keys::chunks(&ingested.folder, &prepared.decode_config_hash))
            .unwrap_or_default(),
        chunks_total: ingested.as_ref().map(|ingested| ingested.chunks).unwrap_or_default(),
        audio_sha256: ingested.map(|ingested| ingested.audio_sha256).unwrap_or_default(),
        model: prepared.as_ref().and_then(|prepared| prepared.speech.model.clone()).unwrap_or_default(),
        model_sha256: prepared.as_ref().map(|prepared| prepared.model_sha256.clone()).unwrap_or_default(),
        recogniser: prepared.as_ref().map(|prepared| prepared.recogniser.clone()).unwrap_or_default(),
        parameters: prepared.map(|prepared| prepared.speech),
        chunks_computed: assembled.chunks_computed,
        chunks_reused: assembled.chunks_reused,
        chunks_recomputed: assembled.chunks_recomputed,
        fallbacks: assembled.fallbacks,
        llm: conclusion.llm.clone(),
    }
}

/// Takes an answer that was asked for later into the job's result. Gives the job's new status.
///
/// Two tasks may be amended at the same time and the store knows no locks, so every amendment
/// writes all answers that are there and looks again afterwards: whoever writes last has seen
/// the other's answer.
pub(crate) async fn amend(store: &Store, amendment: &Amendment) -> Result<JobStatus, StageError> {
    let key = keys::result(&amendment.job_id);
    let mut result: JobResult = store.read_json(&key).await?;
    loop {
        let answers = answers(store, amendment).await?;
        for (task, answer) in answers {
            take_in(&mut result, task, answer);
        }
        store.write_json(&key, &result).await?;
        let stored: JobResult = store.read_json(&key).await?;
        if stored == result {
            return Ok(result.status);
        }
        result = stored;
    }
}

/// The answers in the store, by task name.
async fn answers(store: &Store, amendment: &Amendment) -> Result<Vec<(String, LlmAnswer)>, StageError> {
    let mut answers = Vec::new();
    for key in store.list(&keys::llm_answers(&amendment.job_id)).await? {
        if let Some(task) = keys::llm_task(&key) {
            answers.push((task.to_owned(), store.read_json(&key).await?));
        }
    }
    answers.sort_by(|(left, _), (right, _)| left.cmp(right));
    Ok(answers)
}

fn take_in(result: &mut JobResult, task: String, answer: LlmAnswer) {
    let stage = format!("llm:{task}");
    result.errors.retain(|failure| failure.stage != stage);
    if result.status == JobStatus::CompletedWithErrors && result.errors.is_empty() {
        result.status = JobStatus::Completed;
    }
    result.provenance.llm.insert(task.clone(), answer.usage);
    result.llm.insert(task, answer.output);
}
