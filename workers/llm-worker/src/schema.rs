//! Answers in JSON: the schema checked before the model is asked, each answer checked against it,
//! and one answer that misses it sent back with the reason.

use engine::error::StageError;
use jsonschema::Validator;
use serde_json::Value;

use crate::{
    calls::Calls,
    map_reduce::{Instruction, clip},
    provider::{Message, Model, Prompt, Reply, Role},
    reply_text,
};

/// Room for telling the model what was wrong.
const COMPLAINT_TOKENS: u32 = 200;

/// Complaints quote values, which may be long; in characters.
const LONGEST_COMPLAINT: usize = 300;

pub(crate) struct AnswerSchema {
    schema: Value,
    validator: Validator,
}

impl AnswerSchema {
    /// # Errors
    /// Bad input where it is no JSON schema, or refers to another document.
    pub(crate) fn new(schema: &Value) -> Result<Self, StageError> {
        let validator = jsonschema::validator_for(schema).map_err(|error| {
            let violation = violation(&error);
            StageError::bad_input(format!("the answer's schema is no usable JSON schema ({violation}): correct it"))
        })?;
        Ok(Self { schema: schema.clone(), validator })
    }

    /// What to tell the model besides the question: not every model is held to a schema by other means.
    pub(crate) fn instruction(&self, question: &str) -> String {
        format!("{question}\nAnswer with nothing but JSON that satisfies this JSON schema:\n{}", self.schema)
    }

    /// Tokens of text that fit one call, an answer to be repaired and the reason included.
    pub(crate) async fn room(&self, instruction: &Instruction<'_>, model: &Model) -> Result<u32, StageError> {
        let answer = instruction.answer_tokens(model);
        instruction.room_beside(model, 2 * answer + COMPLAINT_TOKENS.min(model.context_tokens() / 8)).await
    }

    /// Makes the call that was planned, and a second one where the first answer misses the schema.
    ///
    /// # Errors
    /// Bad input, quoting the violation, when the second answer misses it, too: models that are
    /// asked the same again mostly give the same again.
    pub(crate) async fn ask(&self, calls: &mut Calls<'_>, mut prompt: Prompt) -> Result<Value, StageError> {
        prompt.schema = Some(self.schema.clone());
        let first = calls.make(&prompt).await?;
        let complaint = match self.check(&first) {
            Ok(value) => {
                calls.keep(&prompt, &first).await?;
                return Ok(value);
            }
            Err(complaint) => complaint,
        };
        tracing::debug!(complaint, "the answer misses its schema; asking once more");
        calls.plan(1);
        let mut repaired = prompt.clone();
        repaired.messages.extend(repair(calls.model(), &prompt, first, &complaint).await?);
        let second = calls.make(&repaired).await?;
        let value = self.check(&second).map_err(|complaint| {
            StageError::bad_input(format!(
                "the model {} twice gave an answer that misses the schema: {complaint}; simplify the schema, or use a more capable model",
                calls.model().name()
            ))
        })?;
        // As if it had been the first.
        calls.keep(&prompt, &second).await?;
        Ok(value)
    }

    fn check(&self, reply: &Reply) -> Result<Value, String> {
        let value =
            reply_text::json(reply_text::without_thoughts(&reply.text)).map_err(|error| match reply.truncated {
                true => "the answer was too long and broke off".to_owned(),
                false => format!("the answer is not JSON ({error})"),
            })?;
        match self.validator.validate(&value) {
            Ok(()) => Ok(value),
            Err(error) => Err(violation(&error)),
        }
    }
}

async fn repair(model: &Model, prompt: &Prompt, reply: Reply, complaint: &str) -> Result<[Message; 2], StageError> {
    let given = match reply.text.trim() {
        // Some endpoints refuse a message without text.
        "" => "(nothing)".to_owned(),
        _ => clip(model, reply.text, prompt.answer_tokens).await?,
    };
    let text =
        format!("That cannot be used: {complaint}. Answer again with nothing but JSON that satisfies the schema.");
    Ok([Message { role: Role::Assistant, text: given }, Message { role: Role::User, text }])
}

fn violation(error: &jsonschema::ValidationError<'_>) -> String {
    let path = error.instance_path().to_string();
    let mut text = error.to_string();
    if let Some((end, _)) = text.char_indices().nth(LONGEST_COMPLAINT) {
        text.truncate(end);
        text.push_str("...");
    }
    if path.is_empty() { text } else { format!("{text} at {path}") }
}
