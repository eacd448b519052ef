//! Reading a stored result piece by piece: that of a day of speech is larger than what a service may keep of it.

use std::{fmt, io, io::Read, marker::PhantomData};

use serde::{
    Deserialize,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::transcript::{Segment, Word};

/// Takes the pieces of a result, in the order in which they are stored.
pub trait ResultPieces {
    /// The whole text, once.
    fn text(&mut self, text: &str) -> io::Result<()>;

    /// Each segment, with its words.
    fn segment(&mut self, segment: Segment) -> io::Result<()>;

    /// Each word once more, after all segments.
    fn word(&mut self, word: Word) -> io::Result<()>;
}

/// The kind of piece after which nothing is wanted. They are stored in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastPiece {
    Text,
    Segment,
    Word,
}

/// Hands out the pieces of a result as they are read. Nothing is kept but the piece at hand, and nothing is read after the
/// last one that is wanted.
///
/// # Errors
/// It is no result, or cannot be read, or one of the pieces is not taken.
pub fn read_pieces(
    result: impl Read,
    last: LastPiece,
    pieces: &mut impl ResultPieces,
) -> Result<(), serde_json::Error> {
    let mut document = Document { pieces, last, has_ended: false };
    let read = document.deserialize(&mut serde_json::Deserializer::from_reader(result));
    if document.has_ended { Ok(()) } else { read }
}

struct Document<'a, P> {
    pieces: &'a mut P,
    last: LastPiece,
    has_ended: bool,
}

impl<'de, P: ResultPieces> DeserializeSeed<'de> for &mut Document<'_, P> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, P: ResultPieces> Visitor<'de> for &mut Document<'_, P> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a job's result")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let Document { pieces, last, has_ended } = self;
        while let Some(field) = fields.next_key::<String>()? {
            let piece = match field.as_str() {
                "text" => {
                    pieces.text(&fields.next_value::<String>()?).map_err(Error::custom)?;
                    LastPiece::Text
                }
                "segments" => {
                    fields.next_value_seed(each(|segment| pieces.segment(segment)))?;
                    LastPiece::Segment
                }
                "words" => {
                    fields.next_value_seed(each(|word| pieces.word(word)))?;
                    LastPiece::Word
                }
                _ => {
                    fields.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            if piece == *last {
                *has_ended = true;
                // The only way to stop in the middle of a document.
                return Err(Error::custom("the pieces that are wanted have ended"));
            }
        }
        Ok(())
    }
}

/// A list whose items are handed to a function one by one.
struct Each<T, F> {
    take: F,
    item: PhantomData<T>,
}

fn each<T, F: FnMut(T) -> io::Result<()>>(take: F) -> Each<T, F> {
    Each { take, item: PhantomData }
}

impl<'de, T: Deserialize<'de>, F: FnMut(T) -> io::Result<()>> DeserializeSeed<'de> for Each<T, F> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T: Deserialize<'de>, F: FnMut(T) -> io::Result<()>> Visitor<'de> for Each<T, F> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        while let Some(item) = items.next_element()? {
            (self.take)(item).map_err(Error::custom)?;
        }
        Ok(())
    }
}
