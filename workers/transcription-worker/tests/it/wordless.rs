//! Where nobody speaks there is no text, whatever Whisper makes of it.

use std::f32::consts::TAU;

use crate::sound::{SECOND, english, recognise, recognisers, text};

const LENGTH: usize = 28 * SECOND;

fn wordless() -> Vec<(&'static str, Vec<f32>)> {
    let white = random();
    let brown = white.iter().scan(0.0, |level, step| {
        *level = 0.995 * *level + 0.03 * step;
        Some(*level)
    });
    vec![
        ("digital silence", vec![0.0; LENGTH]),
        ("faint white noise", white.iter().map(|sample| 0.003 * sample).collect()),
        ("white noise", white.iter().map(|sample| 0.2 * sample).collect()),
        ("brown noise", brown.collect()),
        ("a tone", (0..LENGTH).map(|at| 0.3 * wave(440.0, at)).collect()),
        ("struck chords", (0..LENGTH).map(chord).collect()),
    ]
}

#[test]
fn what_is_no_speech_gives_no_text() {
    for recogniser in recognisers() {
        for (name, sound) in wordless() {
            let heard = recognise(recogniser, &sound, &english());
            assert!(heard.segments.is_empty(), "{name}, {}: {:?}", recogniser.program(), text(&heard));
        }
    }
}

fn wave(hertz: f32, at: usize) -> f32 {
    (TAU * hertz * at as f32 / SECOND as f32).sin()
}

/// Two chords in turn, each struck and dying away.
fn chord(at: usize) -> f32 {
    const CHORDS: [[f32; 3]; 2] = [[261.6, 329.6, 392.0], [220.0, 261.6, 329.6]];
    let fading = (-3.0 * (at % SECOND) as f32 / SECOND as f32).exp();
    let notes = CHORDS[at / SECOND % CHORDS.len()];
    notes.iter().map(|hertz| 0.15 * fading * wave(*hertz, at)).sum()
}

/// Numbers between -1 and 1, the same in every run (xorshift).
fn random() -> Vec<f32> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..LENGTH).map(next).collect()
}
