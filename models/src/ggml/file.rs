//! The layout of whisper.cpp's ggml files, all numbers little-endian:
//!
//! ```text
//! magic | 11 sizes | mel filter bank | vocabulary | tensors until the end
//! ```

use std::io::{self, Read, Write};

use super::invalid;

const MAGIC: u32 = 0x6767_6d6c;

/// The model's sizes as they follow the magic number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) vocabulary: u32,
    pub(super) audio_context: u32,
    pub(super) audio_state: u32,
    pub(super) audio_heads: u32,
    pub(super) audio_layers: u32,
    pub(super) text_context: u32,
    pub(super) text_state: u32,
    pub(super) text_heads: u32,
    pub(super) text_layers: u32,
    pub(super) mels: u32,
    pub(super) precision: u32,
}

/// [`Header::precision`] of 16-bit weights.
pub(super) const F16_WEIGHTS: u32 = 1;
/// [`Header::precision`] of 8-bit weights: kind 7 in version 2 of ggml's quantisation.
pub(super) const Q8_0_WEIGHTS: u32 = 2007;

impl Header {
    pub(super) fn read(input: &mut impl Read) -> io::Result<Self> {
        if read_u32(input)? != MAGIC {
            return Err(invalid("it is not a ggml file"));
        }
        let mut next = || read_u32(input);
        Ok(Self {
            vocabulary: next()?,
            audio_context: next()?,
            audio_state: next()?,
            audio_heads: next()?,
            audio_layers: next()?,
            text_context: next()?,
            text_state: next()?,
            text_heads: next()?,
            text_layers: next()?,
            mels: next()?,
            precision: next()?,
        })
    }

    pub(super) fn write(&self, output: &mut impl Write) -> io::Result<()> {
        let sizes = [
            MAGIC,
            self.vocabulary,
            self.audio_context,
            self.audio_state,
            self.audio_heads,
            self.audio_layers,
            self.text_context,
            self.text_state,
            self.text_heads,
            self.text_layers,
            self.mels,
            self.precision,
        ];
        sizes.into_iter().try_for_each(|size| write_u32(output, size))
    }
}

/// How a tensor's numbers are stored: ggml's code, and the numbers and bytes of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Element {
    code: u32,
    numbers: u64,
    bytes: u64,
}

impl Element {
    pub(super) const F32: Self = Self { code: 0, numbers: 1, bytes: 4 };
    pub(super) const F16: Self = Self { code: 1, numbers: 1, bytes: 2 };
    pub(super) const Q8_0: Self = Self { code: 8, numbers: 32, bytes: 34 };

    /// Those that users bring: q4_0, q4_1, q5_0, q5_1, and the K kinds from 2 to 6 bits.
    const OTHERS: [Self; 9] = [
        Self { code: 2, numbers: 32, bytes: 18 },
        Self { code: 3, numbers: 32, bytes: 20 },
        Self { code: 6, numbers: 32, bytes: 22 },
        Self { code: 7, numbers: 32, bytes: 24 },
        Self { code: 10, numbers: 256, bytes: 84 },
        Self { code: 11, numbers: 256, bytes: 110 },
        Self { code: 12, numbers: 256, bytes: 144 },
        Self { code: 13, numbers: 256, bytes: 176 },
        Self { code: 14, numbers: 256, bytes: 210 },
    ];

    fn from_code(code: u32) -> io::Result<Self> {
        [Self::F32, Self::F16, Self::Q8_0]
            .into_iter()
            .chain(Self::OTHERS)
            .find(|element| element.code == code)
            .ok_or_else(|| invalid(format!("its numbers are of an unknown kind, {code}")))
    }
}

/// What precedes a tensor's numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TensorHead {
    pub(super) name: String,
    /// The fastest dimension first.
    pub(super) dimensions: Vec<u32>,
    pub(super) element: Element,
}

/// Longer than any tensor's name and rank; a damaged file is noticed before it takes memory.
const LONGEST_NAME: u32 = 256;
const HIGHEST_RANK: u32 = 4;

impl TensorHead {
    /// The next tensor's, or `None` at the end of the file.
    pub(super) fn read(input: &mut impl Read) -> io::Result<Option<Self>> {
        let mut first = [0; 4];
        if input.read(&mut first[..1])? == 0 {
            return Ok(None);
        }
        input.read_exact(&mut first[1..])?;
        let (rank, length, element) = (u32::from_le_bytes(first), read_u32(input)?, read_u32(input)?);
        if rank > HIGHEST_RANK || length > LONGEST_NAME {
            return Err(invalid("it is damaged, so remove it and fetch it again"));
        }
        let dimensions = (0..rank).map(|_| read_u32(input)).collect::<io::Result<_>>()?;
        let mut name = vec![0; length as usize];
        input.read_exact(&mut name)?;
        let name = String::from_utf8(name).map_err(|_| invalid("a tensor's name is not text"))?;
        Ok(Some(Self { name, dimensions, element: Element::from_code(element)? }))
    }

    pub(super) fn write(&self, output: &mut impl Write) -> io::Result<()> {
        write_length(output, self.dimensions.len())?;
        write_length(output, self.name.len())?;
        write_u32(output, self.element.code)?;
        self.dimensions.iter().try_for_each(|size| write_u32(output, *size))?;
        output.write_all(self.name.as_bytes())
    }

    pub(super) fn elements(&self) -> u64 {
        // A damaged file's sizes may multiply to anything.
        self.dimensions.iter().fold(1, |product: u64, size| product.saturating_mul(u64::from(*size)))
    }

    /// What the numbers take in the file.
    pub(super) fn bytes(&self) -> u64 {
        self.elements().div_ceil(self.element.numbers).saturating_mul(self.element.bytes)
    }
}

pub(super) fn read_u32(input: &mut impl Read) -> io::Result<u32> {
    let mut bytes = [0; 4];
    input.read_exact(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}

pub(super) fn write_u32(output: &mut impl Write, number: u32) -> io::Result<()> {
    output.write_all(&number.to_le_bytes())
}

pub(super) fn write_length(output: &mut impl Write, length: usize) -> io::Result<()> {
    write_u32(output, u32::try_from(length).map_err(|_| invalid("it has a part that is too long for ggml"))?)
}

/// Copies exactly so many bytes.
pub(super) fn copy(input: &mut impl Read, output: &mut impl Write, bytes: u64) -> io::Result<()> {
    if io::copy(&mut input.take(bytes), output)? < bytes {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}
