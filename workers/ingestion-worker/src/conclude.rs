//! Writes a job's result, and takes later LLM answers into it. What another run of the job has left is not taken in.

use std::collections::BTreeMap;

use engine::{
    error::StageError,
    ids::tenant_and_name,
    llm::LlmAnswer,
    references,
    result::{JobResult, JobStatus, Provenance, StageFailure, VERSION},
    store::{Store, StoreError, keys},
    temporal::contracts::{Amendment, AssembleInput, Assembled, Conclusion},
    transcript::Transcript,
};

use crate::assemble::assemble_part;

/// Writes the result of a job that ended, however it ended. One that was cancelled keeps what it has recognised.
pub async fn conclude(store: &Store, mut conclusion: Conclusion) -> Result<(), StageError> {
    let (job_id, run_id) = (conclusion.job_id.clone(), conclusion.run_id.clone());
    // A job that was ingested before there were references gets its own now.
    if let (Some(ingested), Ok(job)) = (&conclusion.ingested, job_id.parse()) {
        references::add(store, &ingested.audio_sha256, &job).await?;
    }
    if conclusion.status == JobStatus::Cancelled && conclusion.assembled.is_none() {
        match recognised_part(store, &conclusion).await {
            Ok(part) => conclusion.assembled = part,
            Err(error) if error.is_retryable() => return Err(error),
            Err(error) => {
                conclusion.errors.push(StageFailure { stage: "assemble".to_owned(), message: error.message });
            }
        }
    }
    let transcript = match &conclusion.assembled {
        Some(_) => Some(store.find_transcript(&job_id, &run_id).await?.ok_or_else(missing(keys::transcript(&job_id)))?),
        None => None,
    };
    let mut answers = BTreeMap::new();
    for task in conclusion.llm.keys() {
        let answer = store.find_llm_answer(&job_id, &run_id, task).await?;
        let answer = answer.ok_or_else(missing(keys::llm_answer(&job_id, task)))?;
        answers.insert(task.clone(), answer.output);
    }
    let result = result(conclusion, transcript, answers);
    store.write_json(&keys::result(&job_id), &result).await?;
    Ok(())
}

fn missing(key: String) -> impl FnOnce() -> StoreError {
    move || StoreError::NotFound { key }
}

/// What a job that was cancelled had recognised, joined.
async fn recognised_part(store: &Store, conclusion: &Conclusion) -> Result<Option<Assembled>, StageError> {
    let Conclusion { folder, prepared, ingested, job_id, run_id, .. } = conclusion;
    let Some(prepared) = prepared.as_ref().filter(|_| !folder.is_empty()) else { return Ok(None) };
    let input = AssembleInput {
        job_id: job_id.clone(),
        folder: folder.clone(),
        decode_config_hash: prepared.decode_config_hash.clone(),
        language: prepared.speech.language.clone(),
        duration_s: ingested.as_ref().map(|ingested| ingested.duration_s).unwrap_or_default(),
        chunks: 0,
        run: None,
    };
    assemble_part(store, &input, run_id).await
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
        run_id: conclusion.run_id.clone(),
        segments: Vec::new(),
    });
    JobResult {
        version: VERSION,
        // As its owner knows it, who reads this.
        job_id: tenant_and_name(&conclusion.job_id).1.to_owned(),
        run_id: conclusion.run_id,
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
    let folder = ingested.as_ref().map_or(&conclusion.folder, |ingested| &ingested.folder);
    let checkpoints = prepared.as_ref().filter(|_| !folder.is_empty());
    let chunks_joined = assembled.chunks_computed + assembled.chunks_reused;
    Provenance {
        checkpoints: checkpoints.map(|prepared| keys::chunks(folder, &prepared.decode_config_hash)).unwrap_or_default(),
        chunks_total: ingested.as_ref().map_or(chunks_joined, |ingested| ingested.chunks),
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
pub async fn amend(store: &Store, amendment: &Amendment) -> Result<JobStatus, StageError> {
    let key = keys::result(&amendment.job_id);
    let mut result: JobResult = store.read_json(&key).await?;
    loop {
        let answers = answers(store, amendment, &result.run_id).await?;
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

/// The answers on the run's transcript that are in the store, by task name.
async fn answers(store: &Store, amendment: &Amendment, run_id: &str) -> Result<Vec<(String, LlmAnswer)>, StageError> {
    let mut answers = Vec::new();
    for key in store.list(&keys::llm_answers(&amendment.job_id)).await? {
        let Some(task) = keys::llm_task(&key) else { continue };
        if let Some(answer) = store.find_llm_answer(&amendment.job_id, run_id, task).await? {
            answers.push((task.to_owned(), answer));
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
