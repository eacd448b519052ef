//! 16-bit ggml files to 8-bit ones: half the size, and faster on processors that multiply bytes.
//!
//! As whisper.cpp's own tool does it: every matrix goes to q8_0, while the positional embeddings,
//! the convolutions, biases and norms stay what they are.

use std::{
    fs::File,
    io::{self, BufReader, Read, Write},
    path::Path,
};

use half::f16;

use super::{
    GgmlError, Output,
    file::{Element, F16_WEIGHTS, Header, Q8_0_WEIGHTS, TensorHead, copy, read_u32, write_u32},
    invalid,
};

/// Numbers that share one scale.
const BLOCK: usize = 32;

/// Matrices whose precision whisper.cpp expects untouched.
const KEPT: [&str; 4] =
    ["encoder.conv1.bias", "encoder.conv2.bias", "encoder.positional_embedding", "decoder.positional_embedding"];

/// Writes a 16-bit ggml Whisper model with 8-bit weights to `out`, in the folder of which it is prepared.
///
/// # Errors
/// Files that cannot be read or written, or a source that is no 16-bit Whisper model in ggml's format.
pub fn quantise_q8_0(f16: &Path, out: &Path) -> Result<(), GgmlError> {
    let reading = GgmlError::reading(f16);
    let mut input = BufReader::with_capacity(1 << 20, File::open(f16).map_err(&reading)?);
    let header = Header::read(&mut input).map_err(&reading)?;
    if header.precision != F16_WEIGHTS {
        return Err(reading(invalid("its weights are not of 16 bits, so there is nothing to quantise")));
    }
    let mut output = Output::create(out)?;
    Header { precision: Q8_0_WEIGHTS, ..header }.write(&mut output).map_err(GgmlError::writing(out))?;
    copy_content(&mut input, &mut output).map_err(GgmlError::copying(f16, out))?;
    output.publish()
}

fn copy_content(input: &mut impl Read, output: &mut impl Write) -> io::Result<()> {
    copy_filters_and_vocabulary(input, output)?;
    while let Some(head) = TensorHead::read(input)? {
        write_tensor(head, input, output)?;
    }
    Ok(())
}

fn copy_filters_and_vocabulary(input: &mut impl Read, output: &mut impl Write) -> io::Result<()> {
    let (bands, bins) = (read_u32(input)?, read_u32(input)?);
    write_u32(output, bands)?;
    write_u32(output, bins)?;
    copy(input, output, u64::from(bands) * u64::from(bins) * 4)?;
    let tokens = read_u32(input)?;
    write_u32(output, tokens)?;
    for _ in 0..tokens {
        let length = read_u32(input)?;
        write_u32(output, length)?;
        copy(input, output, u64::from(length))?;
    }
    Ok(())
}

fn write_tensor(head: TensorHead, input: &mut impl Read, output: &mut impl Write) -> io::Result<()> {
    if head.dimensions.len() == 2 && !KEPT.contains(&head.name.as_str()) {
        return quantise(head, input, output);
    }
    if ![Element::F32, Element::F16].contains(&head.element) {
        return Err(invalid(format!("{} is quantised already", head.name)));
    }
    head.write(output)?;
    copy(input, output, head.bytes())
}

fn quantise(head: TensorHead, input: &mut impl Read, output: &mut impl Write) -> io::Result<()> {
    if head.element != Element::F16 || !(head.dimensions[0] as usize).is_multiple_of(BLOCK) {
        return Err(invalid(format!("{} is no 16-bit matrix with rows of {BLOCK} numbers", head.name)));
    }
    let blocks = head.elements() / BLOCK as u64;
    TensorHead { element: Element::Q8_0, ..head }.write(output)?;
    let mut bytes = [0; 2 * BLOCK];
    for _ in 0..blocks {
        input.read_exact(&mut bytes)?;
        let (pairs, _) = bytes.as_chunks();
        let (scale, numbers) = quantise_block(&std::array::from_fn(|index| f16::from_le_bytes(pairs[index]).to_f32()));
        output.write_all(&scale.to_le_bytes())?;
        output.write_all(&numbers.map(i8::cast_unsigned))?;
    }
    Ok(())
}

/// The largest number becomes 127 or -127. Rounding uses the scale before it is itself rounded to
/// 16 bits, for that is what ggml does.
fn quantise_block(block: &[f32; BLOCK]) -> (f16, [i8; BLOCK]) {
    let largest = block.iter().fold(0.0_f32, |largest, number| largest.max(number.abs()));
    let scale = largest / 127.0;
    let inverse = if scale == 0.0 { 0.0 } else { 1.0 / scale };
    (f16::from_f32(scale), block.map(|number| (number * inverse).round() as i8))
}

#[cfg(test)]
mod tests {
    use super::{BLOCK, quantise_block};

    #[test]
    fn numbers_come_back_within_half_a_step() {
        for largest in [0.0_f32, 0.01, 0.5, 3.0] {
            let block: [f32; BLOCK] = std::array::from_fn(|index| largest * (index as f32 / 15.5 - 1.0));
            let (scale, numbers) = quantise_block(&block);
            for (number, original) in numbers.iter().zip(block) {
                let restored = f32::from(*number) * scale.to_f32();
                let tolerance = 0.51 * scale.to_f32() + 0.001 * largest;
                assert!((restored - original).abs() <= tolerance, "{original} became {restored}");
            }
        }
    }
}
