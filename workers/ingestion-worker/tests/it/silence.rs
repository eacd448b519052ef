//! What is no speech gives no chunks, and quiet speech is not taken for silence.

use crate::{
    sound::{SECOND, pcm, random, speech, tone, wav},
    workbench::Workbench,
};

/// One minute of everything that has no words in it.
fn wordless() -> Vec<(&'static str, Vec<f64>)> {
    let minute = 60 * SECOND;
    let white: Vec<f64> = random(minute).iter().map(|sample| 0.3 * sample).collect();
    let faint = white.iter().map(|sample| 0.03 * sample).collect();
    let brown = white
        .iter()
        .scan(0.0, |level, step| {
            *level = 0.995 * *level + 0.1 * step;
            Some(*level)
        })
        .collect();
    let (low, high) = (tone(220.0, 60), tone(277.2, 60));
    let chord = low.iter().zip(&high).map(|(low, high)| low + high).collect();
    vec![
        ("digital silence", vec![0.0; minute]),
        ("mains hum", tone(50.0, 60)),
        ("a tone", tone(440.0, 60)),
        ("a chord", chord),
        ("white noise", white),
        ("faint white noise", faint),
        ("brown noise", brown),
    ]
}

#[tokio::test]
async fn a_recording_without_speech_has_a_plan_without_chunks() {
    for (name, sound) in wordless() {
        let bench = Workbench::new();
        let ingested = bench.ingest(&bench.file("wordless.wav", &wav(&pcm(&sound)))).await.unwrap();
        let plan = ingested.plan;
        assert_eq!((plan.units, plan.chunks, plan.duration_s), (0, 0, 60.0), "{name}: {} s of speech", plan.speech_s);
    }
}

#[tokio::test]
async fn speech_is_found_however_quiet_and_in_noise() {
    let speech = speech();
    let noise = random(speech.len());
    for (name, volume, noise_volume) in
        [("as it is", 1.0, 0.0), ("-20 dB", 0.1, 0.0), ("-50 dB", 0.003, 0.0), ("noisy", 1.0, 600.0)]
    {
        let sound: Vec<i16> = speech
            .iter()
            .zip(&noise)
            .map(|(sample, noise)| (f64::from(*sample) * volume + noise * noise_volume).round() as i16)
            .collect();
        let bench = Workbench::new();
        let ingested = bench.ingest(&bench.file("speech.wav", &wav(&sound))).await.unwrap();
        let found = ingested.plan.speech_s;
        assert!((7.5..=11.0).contains(&found), "{name}: {found} s of speech in 11 s");
    }
}
