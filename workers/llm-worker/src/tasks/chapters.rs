//! `chapters`: titles with times.
//!
//! Where a chapter begins is read off the pauses; the model only names it. So the times are right
//! whatever the model, and a small one is asked for no more than it can give.

use engine::{error::StageError, transcript::Transcript};
use serde_json::{Value, json};

use crate::{
    calls::Calls,
    map_reduce::{Instruction, condense, pieces},
    reply_text,
    sections::{Section, sections},
    tasks::summary::TAKE_NOTES,
};

const NAME: Instruction<'_> = Instruction {
    text: "Write a headline of at most eight words for the recording above, in its language. \
           Answer with the headline only.",
    answer_tokens: 32,
};

pub(crate) async fn run(calls: &mut Calls<'_>, transcript: &Transcript) -> Result<Value, StageError> {
    let sections = sections(transcript);
    calls.plan(sections.len());
    let mut chapters = Vec::with_capacity(sections.len());
    for Section { start, end, segments } in sections {
        let pieces = pieces(segments);
        let opening = reply_text::opening(&pieces.join(" "));
        let text = condense(calls, pieces, &TAKE_NOTES, NAME.room(calls.model()).await?).await?;
        let prompt = NAME.about(calls.model(), &text);
        let reply = calls.make(&prompt).await?;
        calls.keep(&prompt, &reply).await?;
        let title = reply_text::title(&reply.text).unwrap_or(opening);
        chapters.push(json!({ "title": title, "start": start, "end": end }));
    }
    Ok(chapters.into())
}
