//! CTranslate2's Whisper models to ggml files, without loss.

use std::{
    io::{self, Read, Write},
    path::Path,
};

use half::f16;

use super::{
    GgmlError, Output,
    ctranslate2::Model,
    file::{Element, F16_WEIGHTS, Header, TensorHead, copy},
    mel,
    names::{Target, targets},
    vocabulary::Vocabulary,
};

/// Bytes of one number in the source.
const F16_BYTES: u64 = 2;

/// Converts a 16-bit Whisper model of CTranslate2 to a 16-bit ggml file, `out`, in the folder of
/// which it is prepared. The tokenizer is the `tokenizer.json` beside such models.
///
/// # Errors
/// Files that cannot be read or written, or that hold something else.
pub fn convert_ctranslate2(model_bin: &Path, tokenizer_json: &Path, out: &Path) -> Result<(), GgmlError> {
    let vocabulary = Vocabulary::read(tokenizer_json)?;
    let mut model = Model::open(model_bin)?;
    let header = sizes(&mut model).map_err(GgmlError::reading(model_bin))?;
    let mut output = Output::create(out)?;
    let write_front = |output: &mut Output| {
        header.write(output)?;
        mel::write_filters(output, header.mels)?;
        vocabulary.write(output)
    };
    write_front(&mut output).map_err(GgmlError::writing(out))?;
    for target in targets(&header) {
        write_tensor(&mut model, &target, &mut output).map_err(GgmlError::copying(model_bin, out))?;
    }
    output.publish()
}

/// The sizes as the tensors' own tell them.
fn sizes(model: &mut Model) -> io::Result<Header> {
    let size = |name: &str, dimension: usize| -> io::Result<u32> {
        let dimensions = model.dimensions(name)?;
        dimensions.get(dimension).copied().ok_or_else(|| super::invalid(format!("{name} has too few dimensions")))
    };
    let layers = |side: &str| model.count(|layer| format!("{side}/layer_{layer}/ffn/linear_0/weight"));
    let header = Header {
        vocabulary: size("decoder/embeddings/weight", 0)?,
        audio_context: size("encoder/position_encodings/encodings", 0)?,
        audio_state: size("encoder/position_encodings/encodings", 1)?,
        audio_heads: 0,
        audio_layers: layers("encoder"),
        text_context: size("decoder/position_encodings/encodings", 0)?,
        text_state: size("decoder/position_encodings/encodings", 1)?,
        text_heads: 0,
        text_layers: layers("decoder"),
        mels: size("encoder/conv1/weight", 1)?,
        precision: F16_WEIGHTS,
    };
    let (audio_heads, text_heads) = (model.number("encoder/num_heads")?, model.number("decoder/num_heads")?);
    Ok(Header { audio_heads, text_heads, ..header })
}

fn write_tensor(model: &mut Model, target: &Target, output: &mut impl Write) -> io::Result<()> {
    let element = if target.wide { Element::F32 } else { Element::F16 };
    let head = TensorHead { name: target.name.clone(), dimensions: target.dimensions.clone(), element };
    let bytes = head.elements() * F16_BYTES;
    let mut source = model.rows(&target.source, target.first_row, bytes)?;
    head.write(output)?;
    if target.wide { widen(&mut source, output) } else { copy(&mut source, output, bytes) }
}

/// Writes 16-bit floats as 32-bit ones.
fn widen(source: &mut impl Read, output: &mut impl Write) -> io::Result<()> {
    let mut narrow = Vec::new();
    source.read_to_end(&mut narrow)?;
    narrow
        .as_chunks()
        .0
        .iter()
        .try_for_each(|bytes| output.write_all(&f16::from_le_bytes(*bytes).to_f32().to_le_bytes()))
}
