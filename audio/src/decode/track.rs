//! The track that is decoded, and what its timestamps mean.

use symphonia::core::{
    formats::Track,
    units::{TimeBase, Timestamp},
};

use super::edit_list::EditList;

pub(super) struct AudioTrack {
    pub(super) id: u32,
    time_base: Option<TimeBase>,
    /// The timestamp at which the track begins.
    start: i64,
    edits: EditList,
}

impl AudioTrack {
    pub(super) fn new(track: &Track) -> Self {
        // Encoder delay lies before 0 and is cut off by the decoder.
        let start = track.start_ts.get().max(0);
        Self { id: track.id, time_base: track.time_base, start, edits: EditList::default() }
    }

    /// Plays of the track what the list says. Timestamps count from the media's beginning then.
    pub(super) fn apply(&mut self, edits: EditList) {
        if !edits.parts.is_empty() {
            self.start = 0;
            self.edits = edits;
        }
    }

    /// Where a timestamp lies in the track. `None` for tracks without a time base.
    pub(super) fn seconds(&self, at: Timestamp) -> Option<f64> {
        let in_track = Timestamp::new(at.get().saturating_sub(self.start));
        self.time_base.map(|time_base| seconds(time_base, in_track).max(0.0))
    }

    /// Leaves of the samples of all channels at a place in the track those that are to be heard. Gives their place in the
    /// recording.
    pub(super) fn keep_heard(
        &self,
        at_s: Option<f64>,
        rate: u32,
        channels: usize,
        samples: &mut Vec<f32>,
    ) -> Option<f64> {
        let Some(at_s) = at_s.filter(|_| !self.edits.parts.is_empty()) else { return at_s };
        let rate = f64::from(rate);
        let end_s = at_s + (samples.len() / channels) as f64 / rate;
        let mut place = None;
        let mut heard = Vec::new();
        let sample = |seconds: f64| channels * ((seconds - at_s) * rate).round() as usize;
        let first = self.edits.parts.partition_point(|part| part.media_s.end <= at_s);
        for part in self.edits.parts[first..].iter().take_while(|part| part.media_s.start < end_s) {
            let (from_s, to_s) = (part.media_s.start.max(at_s), part.media_s.end.min(end_s));
            if sample(from_s) < sample(to_s) {
                place = place.or(Some(part.at_s + from_s - part.media_s.start));
                heard.extend_from_slice(&samples[sample(from_s)..sample(to_s).min(samples.len())]);
            }
        }
        *samples = heard;
        place
    }
}

pub(super) fn seconds(time_base: TimeBase, at: Timestamp) -> f64 {
    time_base.calc_time_saturating(at).as_secs_f64()
}
