//! Text that is longer than the model's window: cut at the borders of its pieces into parts that
//! fit, each part turned into notes, and so on until the notes fit one call.

use engine::{error::StageError, transcript::Segment};

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
    pub(crate) fn room(&self, model: &Model) -> Result<u32, StageError> {
        self.room_beside(model, self.answer_tokens(model))
    }

    /// As [`Instruction::room`], with `others` tokens kept free.
    pub(crate) fn room_beside(&self, model: &Model, others: u32) -> Result<u32, StageError> {
        let window = model.context_tokens();
        let own = model.count_tokens(&self.after(""));
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

/// The segments' texts, those without any left out.
pub(crate) fn pieces(segments: &[Segment]) -> Vec<String> {
    segments.iter().map(|segment| segment.text.trim().to_owned()).filter(|text| !text.is_empty()).collect()
}

/// One text out of many pieces that takes no more than `room` tokens: the pieces themselves where
/// they fit, else notes that the model takes of them.
pub(crate) async fn condense(
    calls: &mut Calls<'_>,
    mut pieces: Vec<String>,
    take_notes: &Instruction<'_>,
    room: u32,
) -> Result<String, StageError> {
    let model = calls.model();
    let part_room = take_notes.room(model)?;
    // Three notes always fit, so that every round leaves a third of the pieces and comes to an end.
    let note_room = room.min(part_room) / 3 - JOINT_TOKENS;
    while pieces.iter().map(|piece| model.count_tokens(piece) + JOINT_TOKENS).sum::<u32>() > room {
        let parts = pack(model, pieces, part_room);
        calls.plan(parts.len());
        pieces = Vec::with_capacity(parts.len());
        for part in parts {
            let note = calls.write(take_notes.about(model, &part)).await?;
            pieces.push(clip(model, note, note_room));
        }
    }
    Ok(pieces.join(" "))
}

/// Joins pieces to parts of at most `room` tokens. Only a piece that is too long by itself is cut.
pub(crate) fn pack(model: &Model, pieces: Vec<String>, room: u32) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut free = 0;
    for piece in pieces.into_iter().flat_map(|piece| halve_until_it_fits(model, piece, room)) {
        let tokens = model.count_tokens(&piece) + JOINT_TOKENS;
        match parts.last_mut().filter(|_| tokens <= free) {
            Some(part) => {
                part.push(' ');
                part.push_str(&piece);
                free -= tokens;
            }
            None => {
                free = room.saturating_sub(tokens);
                parts.push(piece);
            }
        }
    }
    parts
}

fn halve_until_it_fits(model: &Model, piece: String, room: u32) -> Vec<String> {
    if model.count_tokens(&piece) <= room {
        return vec![piece];
    }
    let (first, second) = piece.split_at(middle(&piece));
    if first.is_empty() || second.is_empty() {
        return vec![piece];
    }
    [first, second].into_iter().flat_map(|half| halve_until_it_fits(model, half.trim().to_owned(), room)).collect()
}

/// The space nearest to the middle, or any character's border near it in text without spaces.
fn middle(text: &str) -> usize {
    let half = text.floor_char_boundary(text.len() / 2);
    let before = text[..half].rfind(char::is_whitespace);
    let after = text[half..].find(char::is_whitespace).map(|offset| half + offset);
    let space = before.into_iter().chain(after).min_by_key(|space| space.abs_diff(half));
    space.filter(|&space| space > 0).unwrap_or(half)
}

/// The beginning of a text that takes no more than `room` tokens.
pub(crate) fn clip(model: &Model, text: String, room: u32) -> String {
    halve_until_it_fits(model, text, room).swap_remove(0)
}
