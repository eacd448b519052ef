//! How two sides of a recording relate over a stretch of it.

/// Sums over samples: of each side's squares, and of their products.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct PairStatistics {
    pub(super) left: f32,
    pub(super) right: f32,
    both: f32,
    samples: f32,
}

/// Mean square below which nobody hears anything: -60 dB.
const AUDIBLE: f32 = 1e-6;

impl PairStatistics {
    pub(super) fn of(left: &[f32], right: &[f32]) -> Self {
        let product = |one: &[f32], other: &[f32]| one.iter().zip(other).map(|(one, other)| one * other).sum::<f32>();
        Self {
            left: product(left, left),
            right: product(right, right),
            both: product(left, right),
            samples: left.len() as f32,
        }
    }

    pub(super) fn with(self, more: Self) -> Self {
        Self {
            left: self.left + more.left,
            right: self.right + more.right,
            both: self.both + more.both,
            samples: self.samples + more.samples,
        }
    }

    pub(super) fn faded(self, kept: f32) -> Self {
        let Self { left, right, both, samples } = self;
        Self { left: kept * left, right: kept * right, both: kept * both, samples: kept * samples }
    }

    /// 1 for sides that are the same but for their loudness, -1 for those that are opposed, 0 for those that have nothing to
    /// do with each other, or of which one is silent.
    pub(super) fn likeness(self) -> f32 {
        let scale = (self.left * self.right).sqrt();
        if scale > 0.0 { self.both / scale } else { 0.0 }
    }

    pub(super) fn is_audible(self) -> bool {
        self.left.max(self.right) > AUDIBLE * self.samples
    }
}
