//! The track that is decoded, and what its timestamps mean.

use symphonia::core::{
    formats::Track,
    units::{TimeBase, Timestamp},
};

use super::edit_list::TrackStart;

pub(super) struct AudioTrack {
    pub(super) id: u32,
    time_base: Option<TimeBase>,
    /// The timestamp at which the track begins.
    start: i64,
    /// Seconds of its front that are not to be played and have not been dropped yet.
    unheard_s: f64,
    /// Seconds from the recording's beginning to the track's.
    silence_s: f64,
}

impl AudioTrack {
    pub(super) fn new(track: &Track) -> Self {
        // Encoder delay lies before 0 and is cut off by the decoder.
        let start = track.start_ts.get().max(0);
        Self { id: track.id, time_base: track.time_base, start, unheard_s: 0.0, silence_s: 0.0 }
    }

    /// Takes an edit list's word for where the track begins.
    pub(super) fn apply(&mut self, start: TrackStart) {
        self.start = i64::from(start.skipped);
        self.unheard_s = self.time_base.map_or(0.0, |time_base| seconds(time_base, Timestamp::new(self.start)));
        self.silence_s = start.silence_s;
    }

    /// Where a timestamp lies in the recording. `None` for tracks without a time base.
    pub(super) fn seconds(&self, at: Timestamp) -> Option<f64> {
        let in_track = Timestamp::new(at.get().saturating_sub(self.start));
        self.time_base.map(|time_base| self.silence_s + seconds(time_base, in_track).max(0.0))
    }

    /// Drops the samples at the track's front that are not to be played.
    pub(super) fn drop_unheard(&mut self, rate: u32, mono: &mut Vec<f32>) {
        let unheard = (self.unheard_s * f64::from(rate)).round() as usize;
        let dropped = unheard.min(mono.len());
        mono.drain(..dropped);
        self.unheard_s -= dropped as f64 / f64::from(rate);
    }
}

pub(super) fn seconds(time_base: TimeBase, at: Timestamp) -> f64 {
    time_base.calc_time_saturating(at).as_secs_f64()
}
