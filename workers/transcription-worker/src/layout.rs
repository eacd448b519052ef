//! How the work is laid out on the machine: a small table, made by measurement.
//! docs/decisions/0016-half-windows-one-thread.md has the figures.

use engine::config::TranscribeSettings;
use sysinfo::System;

use crate::recogniser::Layout;

/// 8-bit weights of `small` are below, of `medium` above.
const LARGE_MODEL_BYTES: u64 = 500_000_000;
/// Threads of a session with larger weights, which would be slow to give its first words with one. More threads wait
/// for each other at every step, so one to a session gets most done.
const LARGE_MODEL_THREADS: usize = 4;
/// What a session takes, beside twice the size of the weights, with room to spare: with `base` 0.1 GB for an ordinary
/// chunk, 0.15 GB where words get their times, and 0.23 GB where a doubtful one is decoded again.
const SESSION_BYTES: u64 = 200_000_000;
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

/// Bytes that the machine has, or what this process is in may use of it.
pub(crate) fn memory() -> u64 {
    let mut machine = System::new();
    machine.refresh_memory();
    machine.cgroup_limits().map_or(machine.total_memory(), |limits| limits.total_memory)
}

/// For weights of so many bytes: a session to a core, or as many as fit into three quarters of the memory.
pub(crate) fn layout(settings: &TranscribeSettings, bytes: u64, memory: u64) -> Layout {
    let cores = cores(settings);
    let fitting = (memory / 4 * 3).saturating_sub(bytes) / (SESSION_BYTES + 2 * bytes);
    let fitting = usize::try_from(fitting).unwrap_or(usize::MAX).max(1);
    let least = if bytes > LARGE_MODEL_BYTES { LARGE_MODEL_THREADS } else { 1 };
    let sessions = match settings.threads {
        Some(threads) => cores / threads.min(cores),
        None => (cores / least).clamp(1, fitting),
    };
    Layout { sessions, threads: settings.threads.unwrap_or(cores / sessions).min(cores), batch: settings.batch }
}

#[cfg(test)]
mod tests {
    use engine::config::{Quantisation, TranscribeSettings};

    use super::{layout, units};

    #[test]
    fn there_are_as_many_sessions_as_cores_unless_models_are_large_or_memory_is_short() {
        const GB: u64 = 1 << 30;
        for (cores, threads, bytes, memory, expected) in [
            (1, None, 82_000_000, 4 * GB, (1, 1, 2)),
            (2, None, 82_000_000, 4 * GB, (2, 1, 2)),
            (2, None, 82_000_000, GB, (1, 2, 2)),
            (2, None, 823_000_000, GB, (1, 2, 2)),
            (2, Some(8), 82_000_000, GB, (1, 2, 2)),
            (16, None, 264_000_000, 64 * GB, (16, 1, 5)),
            (16, None, 82_000_000, 2 * GB, (4, 4, 5)),
            (16, None, 823_000_000, 64 * GB, (4, 4, 5)),
            (16, None, 823_000_000, 8 * GB, (3, 5, 5)),
            (16, Some(2), 823_000_000, 8 * GB, (8, 2, 5)),
        ] {
            let settings = TranscribeSettings {
                model: "base".to_owned(),
                recogniser: Default::default(),
                quantisation: Quantisation::Q8_0,
                cores: Some(cores),
                threads,
                batch: 4,
            };
            let laid_out = layout(&settings, bytes, memory);
            let given = (laid_out.sessions, laid_out.threads, units(&settings));
            assert_eq!(given, expected, "{cores} cores, {threads:?} threads, {bytes} of {memory} bytes");
        }
    }
}
