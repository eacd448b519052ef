//! How the work is laid out on the machine: a small table, made by measurement.
//! docs/decisions/0016-half-windows-one-thread.md has the figures.

use engine::config::TranscribeSettings;

use crate::{memory::Footprint, recogniser::Layout};

/// 8-bit weights of `small` are below, of `medium` above.
const LARGE_MODEL_BYTES: u64 = 500_000_000;
/// Threads of a session with larger weights, which would be slow to give its first words with one. More threads wait
/// for each other at every step, so one to a session gets most done.
const LARGE_MODEL_THREADS: usize = 4;
/// Batches that a work unit of three minutes has at least, but for the last one of a recording.
const BATCHES_PER_UNIT: usize = 4;

/// Threads that recognise, in all.
pub(crate) fn cores(settings: &TranscribeSettings) -> usize {
    settings.cores.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
}

/// Work units that a worker takes at once: enough for all of its cores and one that waits ready. What it takes beyond
/// that, other workers lack.
pub fn units(settings: &TranscribeSettings) -> usize {
    cores(settings).div_ceil(BATCHES_PER_UNIT) + 1
}

/// A session to a core, or as many as fit into three quarters of the room; one, where all of the room is needed for it.
pub(crate) fn layout(settings: &TranscribeSettings, footprint: &Footprint, room: u64) -> Layout {
    let cores = cores(settings);
    let fitting = footprint.fitting(room / 4 * 3).max(1);
    let least = if footprint.weights > LARGE_MODEL_BYTES { LARGE_MODEL_THREADS } else { 1 };
    let sessions = match settings.threads {
        Some(threads) => cores / threads.min(cores),
        None => (cores / least).max(1),
    };
    let sessions = sessions.min(fitting);
    Layout { sessions, threads: settings.threads.unwrap_or(cores / sessions).min(cores), batch: settings.batch }
}

#[cfg(test)]
mod tests {
    use engine::{
        config::{Quantisation, TranscribeSettings},
        job::RecogniserChoice,
    };

    use super::{layout, units};
    use crate::memory::Footprint;

    #[test]
    fn there_are_as_many_sessions_as_cores_unless_models_are_large_or_memory_is_short() {
        const GB: u64 = 1 << 30;
        for (cores, threads, bytes, memory, expected) in [
            (1, None, 82_000_000, 4 * GB, (1, 1, 2)),
            (2, None, 82_000_000, 4 * GB, (2, 1, 2)),
            (2, None, 82_000_000, GB / 2, (1, 2, 2)),
            (2, None, 823_000_000, GB, (1, 2, 2)),
            (2, Some(8), 82_000_000, GB, (1, 2, 2)),
            (16, None, 264_000_000, 64 * GB, (16, 1, 5)),
            (16, None, 82_000_000, 2 * GB, (4, 4, 5)),
            (16, None, 823_000_000, 64 * GB, (4, 4, 5)),
            (16, None, 823_000_000, 6 * GB, (3, 5, 5)),
            (16, Some(2), 823_000_000, 8 * GB, (5, 2, 5)),
        ] {
            let settings = TranscribeSettings {
                model: "base".to_owned(),
                recogniser: Default::default(),
                quantisation: Quantisation::Q8_0,
                cores: Some(cores),
                memory_mb: None,
                threads,
                batch: 4,
            };
            let footprint = Footprint::of(RecogniserChoice::Whisper, bytes, settings.batch);
            let laid_out = layout(&settings, &footprint, memory);
            let given = (laid_out.sessions, laid_out.threads, units(&settings));
            assert_eq!(given, expected, "{cores} cores, {threads:?} threads, {bytes} of {memory} bytes");
        }
    }
}
