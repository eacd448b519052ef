//! `actions`: what somebody undertook to do, as a list of sentences. The list may be empty.

use engine::{error::StageError, transcript::Transcript};
use serde_json::{Value, json};

use crate::{
    calls::Calls,
    map_reduce::{Instruction, pack, pieces},
    schema::AnswerSchema,
};

const LIST_ACTIONS: &str = "List the action items of the recording above: the tasks that somebody has to do after it. \
                            Give each as one short sentence, in the language of the recording. \
                            If there are none, give an empty list.";
const ANSWER_TOKENS: u32 = 400;

/// Small models that once began a list go on with it for ever.
const MOST_ACTIONS: usize = 20;

/// The lists of all parts, one after the other: there is nothing to sum up.
pub(crate) async fn run(calls: &mut Calls<'_>, transcript: &Transcript) -> Result<Value, StageError> {
    let schema = AnswerSchema::new(&json!({
        "type": "object",
        "properties": {
            "actions": { "type": "array", "items": { "type": "string" }, "maxItems": MOST_ACTIONS },
        },
        "required": ["actions"],
        "additionalProperties": false,
    }))?;
    let text = schema.instruction(LIST_ACTIONS);
    let instruction = Instruction { text: &text, answer_tokens: ANSWER_TOKENS };
    let room = schema.room(&instruction, calls.model()).await?;
    let parts = pack(calls.model(), pieces(&transcript.segments), room).await?;
    calls.plan(parts.len());
    let mut actions: Vec<String> = Vec::new();
    for part in parts {
        let answer = schema.ask(calls, instruction.about(calls.model(), &part)).await?;
        take_new(&mut actions, &answer["actions"]);
    }
    Ok(actions.into())
}

fn take_new(actions: &mut Vec<String>, found: &Value) {
    let found = found.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::trim);
    for action in found.filter(|action| !action.is_empty()) {
        if !actions.iter().any(|known| known.to_lowercase() == action.to_lowercase()) {
            actions.push(action.to_owned());
        }
    }
}
