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

/// Hands out the pieces of a result as they are read. Nothing is kept but the piece at hand.
///
/// # Errors
/// It is no result, or cannot be read, or one of the pieces is not taken.
pub fn read_pieces(result: impl Read, pieces: &mut impl ResultPieces) -> Result<(), serde_json::Error> {
    let mut json = serde_json::Deserializer::from_reader(result);
    Document(pieces).deserialize(&mut json)?;
    json.end()
}

struct Document<'a, P>(&'a mut P);

impl<'de, P: ResultPieces> DeserializeSeed<'de> for Document<'_, P> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, P: ResultPieces> Visitor<'de> for Document<'_, P> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a job's result")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let Self(pieces) = self;
        while let Some(field) = fields.next_key::<String>()? {
            match field.as_str() {
                "text" => pieces.text(&fields.next_value::<String>()?).map_err(Error::custom)?,
                "segments" => fields.next_value_seed(each(|segment| pieces.segment(segment)))?,
                "words" => fields.next_value_seed(each(|word| pieces.word(word)))?,
                _ => drop(fields.next_value::<IgnoredAny>()?),
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
