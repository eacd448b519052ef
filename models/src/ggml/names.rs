//! Which tensors a ggml file has, and where CTranslate2 keeps each of them.
//!
//! CTranslate2 fuses the query, key and value projections of an attention; Whisper's keys have no
//! bias, and the fused one is zero in their place.

use super::file::Header;

/// A tensor of the ggml file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) name: String,
    /// The fastest dimension first.
    pub(super) dimensions: Vec<u32>,
    pub(super) source: String,
    /// The first row taken of the source.
    pub(super) first_row: u32,
    /// Kept in 32 bits, although it has more than one dimension.
    pub(super) wide: bool,
}

impl Target {
    fn new(name: impl Into<String>, dimensions: &[u32], source: impl Into<String>) -> Self {
        let wide = dimensions.len() < 2;
        Self { name: name.into(), dimensions: dimensions.to_vec(), source: source.into(), first_row: 0, wide }
    }

    fn starting_at(self, first_row: u32) -> Self {
        Self { first_row, ..self }
    }

    fn wide(self) -> Self {
        Self { wide: true, ..self }
    }
}

/// All tensors, in the order of the file.
pub(super) fn targets(header: &Header) -> Vec<Target> {
    let (audio, text) = (header.audio_state, header.text_state);
    let mut targets = vec![
        positions("encoder", audio, header.audio_context),
        Target::new("encoder.conv1.weight", &[3, header.mels, audio], "encoder/conv1/weight"),
        // A column, to which ggml adds the frames.
        Target::new("encoder.conv1.bias", &[1, audio], "encoder/conv1/bias").wide(),
        Target::new("encoder.conv2.weight", &[3, audio, audio], "encoder/conv2/weight"),
        Target::new("encoder.conv2.bias", &[1, audio], "encoder/conv2/bias").wide(),
    ];
    for layer in 0..header.audio_layers {
        let (to, from) = (format!("encoder.blocks.{layer}"), format!("encoder/layer_{layer}"));
        targets.extend(self_attention(&to, &from, audio));
        targets.extend(feed_forward(&to, &from, audio));
    }
    targets.extend(norm("encoder.ln_post", "encoder/layer_norm", audio));
    targets.push(positions("decoder", text, header.text_context));
    targets.push(Target::new(
        "decoder.token_embedding.weight",
        &[text, header.vocabulary],
        "decoder/embeddings/weight",
    ));
    for layer in 0..header.text_layers {
        let (to, from) = (format!("decoder.blocks.{layer}"), format!("decoder/layer_{layer}"));
        targets.extend(self_attention(&to, &from, text));
        targets.extend(cross_attention(&to, &from, text));
        targets.extend(feed_forward(&to, &from, text));
    }
    targets.extend(norm("decoder.ln", "decoder/layer_norm", text));
    targets
}

fn positions(side: &str, state: u32, context: u32) -> Target {
    let source = format!("{side}/position_encodings/encodings");
    Target::new(format!("{side}.positional_embedding"), &[state, context], source).wide()
}

fn self_attention(to: &str, from: &str, state: u32) -> Vec<Target> {
    let fused = |part: &str| format!("{from}/self_attention/linear_0/{part}");
    let mut targets = vec![
        Target::new(format!("{to}.attn.query.weight"), &[state, state], fused("weight")),
        Target::new(format!("{to}.attn.query.bias"), &[state], fused("bias")),
        Target::new(format!("{to}.attn.key.weight"), &[state, state], fused("weight")).starting_at(state),
        Target::new(format!("{to}.attn.value.weight"), &[state, state], fused("weight")).starting_at(2 * state),
        Target::new(format!("{to}.attn.value.bias"), &[state], fused("bias")).starting_at(2 * state),
    ];
    targets.extend(linear(&format!("{to}.attn.out"), &format!("{from}/self_attention/linear_1"), state, state));
    targets.extend(norm(&format!("{to}.attn_ln"), &format!("{from}/self_attention/layer_norm"), state));
    targets
}

fn cross_attention(to: &str, from: &str, state: u32) -> Vec<Target> {
    let fused = |part: &str| format!("{from}/attention/linear_1/{part}");
    let mut targets = linear(&format!("{to}.cross_attn.query"), &format!("{from}/attention/linear_0"), state, state);
    targets.extend([
        Target::new(format!("{to}.cross_attn.key.weight"), &[state, state], fused("weight")),
        Target::new(format!("{to}.cross_attn.value.weight"), &[state, state], fused("weight")).starting_at(state),
        Target::new(format!("{to}.cross_attn.value.bias"), &[state], fused("bias")).starting_at(state),
    ]);
    targets.extend(linear(&format!("{to}.cross_attn.out"), &format!("{from}/attention/linear_2"), state, state));
    targets.extend(norm(&format!("{to}.cross_attn_ln"), &format!("{from}/attention/layer_norm"), state));
    targets
}

fn feed_forward(to: &str, from: &str, state: u32) -> Vec<Target> {
    let mut targets = linear(&format!("{to}.mlp.0"), &format!("{from}/ffn/linear_0"), state, 4 * state);
    targets.extend(linear(&format!("{to}.mlp.2"), &format!("{from}/ffn/linear_1"), 4 * state, state));
    targets.extend(norm(&format!("{to}.mlp_ln"), &format!("{from}/ffn/layer_norm"), state));
    targets
}

fn linear(to: &str, from: &str, inputs: u32, outputs: u32) -> Vec<Target> {
    vec![
        Target::new(format!("{to}.weight"), &[inputs, outputs], format!("{from}/weight")),
        Target::new(format!("{to}.bias"), &[outputs], format!("{from}/bias")),
    ]
}

fn norm(to: &str, from: &str, state: u32) -> Vec<Target> {
    vec![
        Target::new(format!("{to}.weight"), &[state], format!("{from}/gamma")),
        Target::new(format!("{to}.bias"), &[state], format!("{from}/beta")),
    ]
}
