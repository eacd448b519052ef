//! `summary`: the recording in a few sentences of plain text.

use engine::{error::StageError, transcript::Transcript};
use serde_json::Value;

use crate::{
    calls::Calls,
    map_reduce::{Instruction, condense, pieces},
};

const SUMMARISE: Instruction<'_> = Instruction {
    text: "Summarize the recording above in two to five sentences. Say only what was said in it. \
           Write plain text, in the language of the recording.",
    answer_tokens: 256,
};

pub(crate) const TAKE_NOTES: Instruction<'_> = Instruction {
    text: "Above is a part of a longer recording. Write down its main points in a few sentences. \
           Say only what was said in it, in the language of the recording.",
    answer_tokens: 256,
};

pub(crate) async fn run(calls: &mut Calls<'_>, transcript: &Transcript) -> Result<Value, StageError> {
    let pieces = pieces(&transcript.segments);
    if pieces.is_empty() {
        return Ok(Value::String(String::new()));
    }
    calls.plan(1);
    let text = condense(calls, pieces, &TAKE_NOTES, SUMMARISE.room(calls.model()).await?).await?;
    Ok(Value::String(calls.write(SUMMARISE.about(calls.model(), &text)).await?))
}
