//! How a recording ended: whole, or with a part missing.
//!
//! A recording ends early when what its header promises and what could be read differ by more than
//! [`MISSING_TOLERATED_S`] and 1 %. What there is of it is heard, with a warning, unless it has to be whole.

use engine::{
    error::StageError,
    warning::{Warning, WarningCode},
};

use super::Decoder;

/// Seconds that may be missing at the end: encoders round, players never complain.
const MISSING_TOLERATED_S: f64 = 1.0;
/// Of a file most of whose packets are damaged, less than this may be anything, decoded by chance.
const LEAST_OF_DAMAGED_S: f64 = 1.0;

/// What the header says of the length.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Promise {
    Seconds(f64),
    /// Nothing: streams, and files whose format has no place for it.
    Nothing,
}

/// What of the recording could not be decoded.
#[derive(Debug, Default)]
pub(super) struct Damage {
    /// Packets of the track.
    pub(super) packets: u64,
    /// Where the first of them belongs, in seconds.
    pub(super) since_s: f64,
    /// Why the rest of the file could not be read.
    pub(super) broken_off: Option<String>,
}

/// What is wrong with a recording, as errors and warnings say it, and since where.
struct Complaint {
    text: String,
    remedy: &'static str,
    since_s: f64,
}

impl Decoder {
    /// Seconds that the header promised and that did not come. `None` without a promise.
    pub(super) fn missing_s(&self) -> Option<f64> {
        let Promise::Seconds(promised) = self.promise else { return None };
        let missing = promised - self.reached_s.max(self.timeline.written_s());
        Some(if missing > tolerated(promised) { missing } else { 0.0 })
    }

    /// To be called once there is nothing more to read.
    pub(super) fn check_end(&mut self) -> Result<(), StageError> {
        let complaint = self.ends_early().or_else(|| self.is_damaged());
        let complaint = if complaint.is_some() { complaint } else { self.child_complains() };
        let (name, decoded) = (&self.name, self.timeline.written_s());
        let Some(Complaint { text, remedy, since_s }) = complaint else {
            let nothing = format!("{name} holds no audio: its track is empty; check the recording");
            return if decoded > 0.0 { Ok(()) } else { Err(StageError::bad_input(nothing)) };
        };
        let is_mostly_damaged = 2 * self.damage.packets > self.packets;
        if self.is_strict || decoded == 0.0 || is_mostly_damaged && decoded < LEAST_OF_DAMAGED_S {
            return Err(StageError::bad_input(format!("{name} {text}; {remedy}")));
        }
        self.warnings.push(Warning {
            code: WarningCode::EndsEarly,
            message: format!("{name} {text}: what there is of it is transcribed; {remedy} for the rest"),
            start: Some((since_s * 1_000.0).round() / 1_000.0),
            end: None,
        });
        Ok(())
    }

    fn ends_early(&self) -> Option<Complaint> {
        let decoded = self.timeline.written_s();
        let Promise::Seconds(promised) = self.promise else { return None };
        let is_missing = self.missing_s().is_some_and(|missing| missing > 0.0);
        // Where the demuxer says why, that tells more, unless it gave nothing at all.
        let is_told = self.damage.broken_off.is_some() && decoded > 0.0;
        (is_missing && !is_told).then(|| Complaint {
            text: format!("ends early: its header says {promised:.1} s, {decoded:.1} s could be decoded"),
            remedy: "copy or download it again",
            since_s: decoded,
        })
    }

    fn is_damaged(&self) -> Option<Complaint> {
        let (damaged, all, decoded) = (self.damage.packets, self.packets, self.timeline.written_s());
        let remedy = "copy or export it again";
        if let Some(reason) = &self.damage.broken_off {
            let text = format!("is damaged at {decoded:.1} s ({reason})");
            return Some(Complaint { text, remedy, since_s: decoded });
        }
        let told_from = if self.is_strict { all / 2 } else { all / 100 };
        (damaged > told_from).then(|| Complaint {
            text: format!("is damaged: {damaged} of its {all} audio packets cannot be decoded"),
            remedy,
            since_s: self.damage.since_s,
        })
    }

    fn child_complains(&mut self) -> Option<Complaint> {
        let since_s = self.timeline.written_s();
        let is_short = self.child_promise.is_some_and(|promised| promised - since_s > tolerated(promised));
        let text = self.child.as_mut()?.complaint(is_short)?;
        let text = format!("could be decoded up to {since_s:.1} s only: {text}");
        Some(Complaint { text, remedy: "copy or export it again", since_s })
    }
}

fn tolerated(promised_s: f64) -> f64 {
    MISSING_TOLERATED_S.max(promised_s / 100.0)
}
