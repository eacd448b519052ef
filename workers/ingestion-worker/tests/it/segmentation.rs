//! Chunks hold the speech, all of it, unchanged and where they say.

use engine::plan::{Chunk, WorkUnit};

use crate::{
    sound::{SECOND, pcm, random, speech, wav},
    workbench::Workbench,
};

/// Of a chunk of several segments.
const FULL_CHUNK: u64 = 16 * SECOND as u64;
/// Of a segment without a pause, which is a chunk by itself.
const LONGEST_CHUNK: u64 = 28 * SECOND as u64;

/// Six minutes of silence with the sample at known places: alone, apart, and ten times in a row.
fn recording() -> (Vec<i16>, Vec<usize>) {
    let speech = speech();
    let starts: Vec<usize> =
        [5, 40, 90].into_iter().chain((0..10).map(|repeat| 150 + 11 * repeat)).map(|start| start * SECOND).collect();
    let mut recording = vec![0; 360 * SECOND];
    for start in &starts {
        recording[*start..start + speech.len()].copy_from_slice(&speech);
    }
    (recording, starts)
}

#[tokio::test]
async fn chunks_are_true_copies_of_all_speech() {
    let (recording, starts) = recording();
    for unit_seconds in [1, 60, 180] {
        let mut bench = Workbench::new();
        bench.settings.unit_seconds = unit_seconds;
        let ingested = bench.ingest(&bench.file("speech.wav", &wav(&recording))).await.unwrap();
        let units = bench.units(&ingested).await;
        check_units(&units, ingested.plan.chunks, u64::from(unit_seconds) * SECOND as u64);

        let laid_out = bench.laid_out(&ingested).await;
        let differences = laid_out.iter().zip(&recording).filter(|(copy, original)| **copy != 0 && copy != original);
        assert_eq!(differences.count(), 0, "samples that are not those of the recording");
        let loud_and_lost = laid_out
            .iter()
            .zip(&recording)
            .filter(|(copy, original)| copy != original && original.unsigned_abs() > 3_000);
        assert_eq!(loud_and_lost.count(), 0, "loud samples that are in no chunk");

        let seconds: u64 =
            units.iter().flat_map(|(unit, _)| &unit.chunks).map(|chunk| chunk.length).sum::<u64>() / SECOND as u64;
        let spoken = 11 * starts.len() as u64;
        assert!((spoken * 8 / 10..=spoken + 5).contains(&seconds), "{seconds} s of chunks for {spoken} s of speech");
        assert_eq!(ingested.plan.duration_s, 360.0);
    }
}

/// The descriptors against each other and against the audio.
fn check_units(units: &[(WorkUnit, Vec<i16>)], chunks: u32, capacity: u64) {
    let (mut next_chunk, mut heard_until) = (0, 0);
    for (index, (unit, audio)) in units.iter().enumerate() {
        assert_eq!(unit.index as usize, index);
        assert!(unit.chunks.len() == 1 || audio.len() as u64 <= capacity, "unit {index} is too long");
        let mut offset = 0;
        for chunk in &unit.chunks {
            assert_eq!((chunk.index, chunk.offset), (next_chunk, offset), "in unit {index}");
            heard_until = check_spans(chunk, heard_until);
            next_chunk += 1;
            offset += chunk.length;
        }
        assert_eq!(offset, audio.len() as u64, "length of unit {index}");
    }
    assert_eq!(next_chunk, chunks);
}

fn check_spans(chunk: &Chunk, mut heard_until: u64) -> u64 {
    let mut filled = 0;
    for span in &chunk.spans {
        assert!(span.length > 0 && span.source >= heard_until, "chunk {}: {span:?}", chunk.index);
        assert_eq!(span.chunk, filled, "chunk {}: {span:?}", chunk.index);
        heard_until = span.source + span.length;
        filled += span.length;
    }
    assert_eq!(filled, chunk.length, "chunk {}", chunk.index);
    let longest = if chunk.spans.len() > 1 { FULL_CHUNK } else { LONGEST_CHUNK };
    assert!(chunk.length <= longest, "chunk {} is too long: {} samples", chunk.index, chunk.length);
    heard_until
}

#[tokio::test]
async fn speech_without_a_pause_is_split_where_it_is_quietest() {
    // Noise whose loudness jumps like speech's does, which the detector takes for speech.
    let mut sound = random(60 * SECOND);
    for (position, sample) in sound.iter_mut().enumerate() {
        *sample *= if position / 800 % 2 == 0 { 0.4 } else { 0.1 };
    }
    let dip = 25 * SECOND..25 * SECOND + SECOND / 8;
    sound[dip.clone()].fill(0.0);
    let bench = Workbench::new();
    let ingested = bench.ingest(&bench.file("unbroken.wav", &wav(&pcm(&sound)))).await.unwrap();
    let units = bench.units(&ingested).await;
    check_units(&units, ingested.plan.chunks, 180 * SECOND as u64);
    let first = &units[0].0.chunks[0];
    let end = (first.spans[0].source + first.length) as usize;
    assert!(dip.contains(&end), "the first chunk ends at {:.2} s", end as f64 / SECOND as f64);
    assert!(bench.laid_out(&ingested).await.iter().filter(|sample| **sample != 0).count() > 59 * SECOND);
}

#[tokio::test]
async fn silence_inside_a_chunk_is_shortened_and_times_still_map() {
    let starts = [5, 40].map(|start| start * SECOND);
    let mut recording = vec![0; 60 * SECOND];
    for start in starts {
        recording[start..start + 5 * SECOND].copy_from_slice(&speech()[..5 * SECOND]);
    }
    let bench = Workbench::new();
    let ingested = bench.ingest(&bench.file("speech.wav", &wav(&recording))).await.unwrap();
    let (unit, _) = bench.units(&ingested).await.remove(0);
    let [chunk] = unit.chunks.as_slice() else { panic!("both segments fit one chunk: {unit:?}") };
    assert!(chunk.length < 15 * SECOND as u64, "30 s of silence are left out");
    // The second sample's first word, 0.3 s into it, from its place in the chunk.
    let word = (starts[1] + 3 * SECOND / 10) as u64;
    let span = chunk.spans.iter().find(|span| (span.source..span.source + span.length).contains(&word)).unwrap();
    let in_chunk = (span.chunk + word - span.source) as f64 / SECOND as f64;
    assert_eq!(chunk.source_time(in_chunk), word as f64 / SECOND as f64);
}
