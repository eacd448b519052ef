//! Text that is longer than the model's window: cut at the borders of its pieces into parts that
//! fit, each part turned into notes, and so on until the notes fit one call.

use engine::{error::StageError, transcript::Segment};
use futures::{StreamExt, TryStreamExt, stream};

use crate::{
    calls::Calls,
    provider::{Model, Prompt},
};

/// Tokens that a chat template may put around a message.
const TEMPLATE_TOKENS: u32 = 64;

/// Tokens that a piece may take more when it is joined to another.
const JOINT_TOKENS: u32 = 1;

/// With less room than this a part is too short to be understood.
const LEAST_ROOM: u32 = 64;

/// Texts counted at the same time, where another process counts them.
const COUNTS_AT_ONCE: usize = 8;

/// What the model is to do with a text.
pub(crate) struct Instruction<'a> {
    pub(crate) text: &'a str,
    /// Length of a usual answer. A small window leaves less for it.
    pub(crate) answer_tokens: u32,
}

impl Instruction<'_> {
    pub(crate) fn about(&self, model: &Model, text: &str) -> Prompt {
        Prompt::new(self.after(text), self.answer_tokens(model))
    }

    /// Tokens of text that fit one call with these instructions.
    ///
    /// # Errors
    /// Bad input where the instructions alone fill the window.
    pub(crate) async fn room(&self, model: &Model) -> Result<u32, StageError> {
        self.room_beside(model, self.answer_tokens(model)).await
    }

    /// As [`Instruction::room`], with `others` tokens kept free.
    pub(crate) async fn room_beside(&self, model: &Model, others: u32) -> Result<u32, StageError> {
        let window = model.context_tokens();
        let own = model.count_tokens(&self.after("")).await?;
        let room = window.saturating_sub(own).saturating_sub(others).saturating_sub(TEMPLATE_TOKENS);
        if room < LEAST_ROOM {
            return Err(StageError::bad_input(format!(
                "the question takes {own} of the {window} tokens that fit one call to {}: shorten it, or raise LONGHAND_LLM_CONTEXT_TOKENS",
                model.name()
            )));
        }
        Ok(room)
    }

    pub(crate) fn answer_tokens(&self, model: &Model) -> u32 {
        self.answer_tokens.min(model.context_tokens() / 4)
    }

    /// Small models do better when what they are to do comes last.
    fn after(&self, text: &str) -> String {
        format!("Recording:\n\"\"\"\n{text}\n\"\"\"\n\n{}", self.text)
    }
}

/// A piece of a text and the room that it takes, joined to another.
pub(crate) struct Piece {
    text: String,
    tokens: u32,
}

impl Piece {
    async fn of(model: &Model, text: String) -> Result<Self, StageError> {
        let tokens = model.count_tokens(&text).await? + JOINT_TOKENS;
        Ok(Self { text, tokens })
    }

    async fn of_all(model: &Model, texts: Vec<String>) -> Result<Vec<Self>, StageError> {
        stream::iter(texts).map(|text| Self::of(model, text)).buffered(COUNTS_AT_ONCE).try_collect().await
    }
}

/// The segments' texts, those without any left out.
pub(crate) fn pieces(segments: &[Segment]) -> Vec<String> {
    segments.iter().map(|segment| segment.text.trim().to_owned()).filter(|text| !text.is_empty()).collect()
}

/// One text out of many pieces that takes no more than `room` tokens: the pieces themselves where
/// they fit, else notes that the model takes of them.
pub(crate) async fn condense(
    calls: &mut Calls<'_>,
    mut texts: Vec<String>,
    take_notes: &Instruction<'_>,
    room: u32,
) -> Result<String, StageError> {
    let model = calls.model();
    let part_room = take_notes.room(model).await?;
    // Three notes always fit, so that every round leaves a third of the pieces and comes to an end.
    let note_room = room.min(part_room) / 3 - JOINT_TOKENS;
    loop {
        let pieces = Piece::of_all(model, texts).await?;
        if pieces.iter().map(|piece| piece.tokens).sum::<u32>() <= room {
            let texts: Vec<String> = pieces.into_iter().map(|piece| piece.text).collect();
            return Ok(texts.join(" "));
        }
        let parts = join(model, pieces, part_room).await?;
        calls.plan(parts.len());
        texts = Vec::with_capacity(parts.len());
        for part in parts {
            let note = calls.write(take_notes.about(model, &part)).await?;
            texts.push(clip(model, note, note_room).await?);
        }
    }
}

/// Joins texts to parts of at most `room` tokens. Only a text that is too long by itself is cut.
pub(crate) async fn pack(model: &Model, texts: Vec<String>, room: u32) -> Result<Vec<String>, StageError> {
    join(model, Piece::of_all(model, texts).await?, room).await
}

async fn join(model: &Model, pieces: Vec<Piece>, room: u32) -> Result<Vec<String>, StageError> {
    let mut parts: Vec<String> = Vec::new();
    let mut free = 0;
    for piece in cut(model, pieces, room).await? {
        match parts.last_mut().filter(|_| piece.tokens <= free) {
            Some(part) => {
                part.push(' ');
                part.push_str(&piece.text);
                free -= piece.tokens;
            }
            None => {
                free = room.saturating_sub(piece.tokens);
                parts.push(piece.text);
            }
        }
    }
    Ok(parts)
}

/// Halves what takes more than `room` tokens until it fits.
async fn cut(model: &Model, pieces: Vec<Piece>, room: u32) -> Result<Vec<Piece>, StageError> {
    let mut fitting = Vec::with_capacity(pieces.len());
    let mut rest = pieces;
    rest.reverse();
    while let Some(piece) = rest.pop() {
        match halves(&piece.text) {
            Some((first, second)) if piece.tokens > room + JOINT_TOKENS => {
                rest.push(Piece::of(model, second.to_owned()).await?);
                rest.push(Piece::of(model, first.to_owned()).await?);
            }
            _ => fitting.push(piece),
        }
    }
    Ok(fitting)
}

/// The beginning of a text that takes no more than `room` tokens.
pub(crate) async fn clip(model: &Model, text: String, room: u32) -> Result<String, StageError> {
    let mut beginning = text.as_str();
    while model.count_tokens(beginning).await? > room
        && let Some((first, _)) = halves(beginning)
    {
        beginning = first;
    }
    Ok(beginning.to_owned())
}

/// A text cut at the space nearest to its middle, or at any character's border near it where there are no spaces.
fn halves(text: &str) -> Option<(&str, &str)> {
    let half = text.floor_char_boundary(text.len() / 2);
    let before = text[..half].rfind(char::is_whitespace);
    let after = text[half..].find(char::is_whitespace).map(|offset| half + offset);
    let space = before.into_iter().chain(after).min_by_key(|space| space.abs_diff(half));
    let (first, second) = text.split_at(space.filter(|&space| space > 0).unwrap_or(half));
    (!first.is_empty() && !second.is_empty()).then_some((first.trim(), second.trim()))
}
