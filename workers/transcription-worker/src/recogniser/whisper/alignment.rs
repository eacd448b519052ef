//! Which of a model's attention heads follow the audio: words' times are read from them.

use models::ggml::Shape;
use whisper_rs::{DtwMode, DtwModelPreset};

/// The heads that OpenAI found for its models; the upper half of the decoder for any other.
pub(super) fn heads(shape: &Shape) -> DtwMode<'static> {
    use DtwModelPreset::{
        Base, BaseEn, LargeV2, LargeV3, LargeV3Turbo, Medium, MediumEn, Small, SmallEn, Tiny, TinyEn,
    };
    let model_preset = match (shape.audio_layers, shape.text_layers, shape.multilingual, shape.mels) {
        (4, 4, true, _) => Tiny,
        (4, 4, false, _) => TinyEn,
        (6, 6, true, _) => Base,
        (6, 6, false, _) => BaseEn,
        (12, 12, true, _) => Small,
        (12, 12, false, _) => SmallEn,
        (24, 24, true, _) => Medium,
        (24, 24, false, _) => MediumEn,
        (32, 32, _, 80) => LargeV2,
        (32, 32, _, _) => LargeV3,
        (32, 4, _, _) => LargeV3Turbo,
        (_, text_layers, _, _) => return DtwMode::TopMost { n_top: text_layers.div_ceil(2).cast_signed() },
    };
    DtwMode::ModelPreset { model_preset }
}
