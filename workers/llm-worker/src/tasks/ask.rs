//! `ask`: the user's own question, answered in plain text or as the user's JSON schema says.

use engine::{error::StageError, llm::Question, transcript::Transcript};
use serde_json::Value;

use crate::{
    calls::Calls,
    map_reduce::{Instruction, condense, pieces},
    schema::AnswerSchema,
};

const ANSWER_TOKENS: u32 = 512;
const NOTE_TOKENS: u32 = 256;

/// The answer; null where there is a schema, but nothing was said that could be asked about.
pub(crate) async fn run(
    calls: &mut Calls<'_>,
    transcript: &Transcript,
    question: &Question,
) -> Result<Value, StageError> {
    if question.text.trim().is_empty() {
        return Err(StageError::bad_input("the question is empty: say what to ask about the recording"));
    }
    let schema = question.schema.as_ref().map(AnswerSchema::new).transpose()?;
    let pieces = pieces(&transcript.segments);
    if pieces.is_empty() {
        return Ok(schema.map_or(Value::String(String::new()), |_| Value::Null));
    }
    calls.plan(1);
    match schema {
        None => {
            let text = format!("Answer the question about the recording above.\nQuestion: {}", question.text);
            let answer = Instruction { text: &text, answer_tokens: ANSWER_TOKENS };
            let recording = shorten(calls, pieces, question, answer.room(calls.model()).await?).await?;
            Ok(Value::String(calls.write(answer.about(calls.model(), &recording)).await?))
        }
        Some(schema) => {
            let text = schema.instruction(&question.text);
            let answer = Instruction { text: &text, answer_tokens: ANSWER_TOKENS };
            let recording = shorten(calls, pieces, question, schema.room(&answer, calls.model()).await?).await?;
            schema.ask(calls, answer.about(calls.model(), &recording)).await
        }
    }
}

async fn shorten(
    calls: &mut Calls<'_>,
    pieces: Vec<String>,
    question: &Question,
    room: u32,
) -> Result<String, StageError> {
    let text = format!(
        "Above is a part of a longer recording. Write down everything in it that helps to answer the question, \
         and nothing else.\nQuestion: {}",
        question.text
    );
    condense(calls, pieces, &Instruction { text: &text, answer_tokens: NOTE_TOKENS }, room).await
}
