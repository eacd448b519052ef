//! Files that are wrong in ways that nobody thought of: each is heard, perhaps with a warning, or refused with a reason.
//!
//! A file is the sample's beginning in one of the containers, changed in up to four ways that its number decides: file 4711
//! is the same in every run.

use std::time::{Duration, Instant};

use engine::error::FailureKind;

use crate::{made::made, workbench::Workbench};

/// The containers.
const SEEDS: [(&str, &str); 24] = [
    ("a.wav", "$FF -t 2 $OUT"),
    ("b.wav", "$FF -t 2 -ac 6 -c:a pcm_s24le $OUT"),
    ("c.wav", "$FF -t 2 -c:a adpcm_ms $OUT"),
    ("d.wav", "$FF -t 2 -rf64 always $OUT"),
    ("e.aiff", "$FF -t 2 $OUT"),
    ("f.caf", "$FF -t 2 -c:a alac $OUT"),
    ("g.flac", "$FF -t 2 $OUT"),
    ("h.ogg", "$FF -t 2 -c:a libvorbis $OUT"),
    ("i.opus", "$FF -t 2 -c:a libopus $OUT"),
    ("j.mp3", "$FF -t 2 $OUT"),
    ("k.aac", "$FF -t 2 -c:a aac -f adts $OUT"),
    ("l.m4a", "$FF -t 2 -c:a aac $OUT"),
    ("m.mp4", "$FF -t 2 -c:a aac -movflags frag_keyframe+empty_moov -frag_duration 500000 $OUT"),
    ("n.mov", "$FF -t 2 -f lavfi -t 2 -i color=s=64x48:r=5 -map 1:v -map 0:a -c:a alac $OUT"),
    ("o.webm", "$FF -t 2 -c:a libopus $OUT"),
    ("p.mkv", "$FF -t 2 -c:a flac $OUT"),
    ("q.mkv", "$FF -t 2 -c:a ac3 $OUT"),
    ("r.ts", "$FF -t 2 -c:a mp2 $OUT"),
    ("s.wma", "$FF -t 2 -c:a wmav2 $OUT"),
    ("t.avi", "$FF -t 2 -c:a libmp3lame $OUT"),
    ("u.flv", "$FF -t 2 -ar 22050 -c:a libmp3lame $OUT"),
    ("v.amr", "sox $J -r 8000 -t amr-nb $OUT trim 0 2"),
    ("w.m4a", "$FF -t 2 -ac 6 -c:a aac $OUT"),
    ("x.au", "sox $J $OUT trim 0 2"),
];

/// Longer than any of these files needs, and no longer than anybody waits to learn that a file is broken.
const LONGEST: Duration = Duration::from_secs(30);

#[tokio::test]
async fn mutated_files_are_heard_or_refused_with_a_reason() {
    battery(0..200).await;
}

/// `cargo xtask test -p ingestion-worker --test it -- --ignored ten_thousand --nocapture`
#[tokio::test]
#[ignore = "it takes half an hour"]
async fn ten_thousand_mutated_files_are_heard_or_refused_with_a_reason() {
    battery(0..10_000).await;
    let peak = peak_memory_kb();
    println!("{} MB of memory at most", peak / 1_024);
    assert!(peak < 300 * 1_024, "{peak} kB");
}

async fn battery(numbers: std::ops::Range<u64>) {
    let bench = Workbench::new();
    let seeds = SEEDS.map(|(name, command)| {
        made(&bench, name, command);
        (name, std::fs::read(bench.path(name)).unwrap())
    });
    let (mut heard, mut warned, mut refused, mut slowest) = (0, 0, 0, Duration::ZERO);
    let mut wrong = Vec::new();
    for number in numbers {
        let (name, bytes) = mutated(&seeds, number);
        // Each has a store of its own: plans of all of them would fill the disk.
        let bench = Workbench::new();
        let source = bench.file(&format!("{number}-{name}"), &bytes);
        let started = Instant::now();
        let outcome = bench.ingest(&source).await;
        let took = started.elapsed();
        slowest = slowest.max(took);
        match outcome {
            Ok(ingested) if ingested.plan.warnings.is_empty() => heard += 1,
            Ok(_) => warned += 1,
            Err(error) => {
                refused += 1;
                let is_clear = error.message.starts_with(&source.to_string())
                    || error.message.contains(&format!(" {source} "))
                    || error.message.contains(&format!(" {source}, "));
                let has_failed = error.message.contains("made the decoder fail");
                if error.kind != FailureKind::BadInput || !is_clear || has_failed {
                    wrong.push(format!("{number}-{name}: {:?} {}", error.kind, error.message));
                }
            }
        }
        if took > LONGEST {
            wrong.push(format!("{number}-{name} took {took:?}"));
        }
    }
    println!("{heard} heard, {warned} with a warning, {refused} refused; the slowest took {slowest:?}");
    assert!(wrong.is_empty(), "{} files:\n{}", wrong.len(), wrong.join("\n"));
}

fn mutated(seeds: &[(&'static str, Vec<u8>)], number: u64) -> (&'static str, Vec<u8>) {
    let mut random = Random(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let (name, bytes) = &seeds[random.below(seeds.len())];
    let mut bytes = bytes.clone();
    for _ in 0..=random.below(4) {
        mutate(&mut bytes, seeds, &mut random);
    }
    (*name, bytes)
}

fn mutate(bytes: &mut Vec<u8>, seeds: &[(&'static str, Vec<u8>)], random: &mut Random) {
    let length = bytes.len().max(16);
    bytes.resize(length, 0);
    // Headers lie at both ends, and decide the most.
    let at = match random.below(4) {
        0 | 1 => random.below(length.min(600)),
        2 => length - 1 - random.below(length.min(1_200)),
        _ => random.below(length),
    };
    let run = (random.below(2_000) + 1).min(length - at);
    match random.below(8) {
        0 => bytes[at] = random.below(256) as u8,
        1 => bytes[at] ^= 1 << random.below(8),
        2 => {
            let extreme = [[0; 4], [0xff; 4], [0x7f, 0xff, 0xff, 0xff], [0, 0, 0, 1], [0xff, 0xff, 0xff, 0x7f]];
            let run = 4.min(length - at);
            bytes[at..at + run].copy_from_slice(&extreme[random.below(extreme.len())][..run]);
        }
        3 => bytes.truncate(at),
        4 => bytes[at..at + run].fill(0),
        5 => (at..at + run).for_each(|place| bytes[place] = random.below(256) as u8),
        6 => drop(bytes.drain(at..at + run)),
        _ => {
            let other = &seeds[random.below(seeds.len())].1;
            bytes.truncate(at);
            bytes.extend_from_slice(&other[random.below(other.len())..]);
        }
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % end
    }
}

/// The most that this process has had so far.
fn peak_memory_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse().unwrap()
}
