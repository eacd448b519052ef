//! Where the channels of a recording are meant to be heard, and how many become few.

/// One row of weights for each stream that comes out, one weight for each channel that goes in.
pub(super) type Fold = Vec<Vec<f32>>;

/// What a channel is for, as far as that matters to its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Left,
    Right,
    /// In the middle: where films have their dialogue.
    Centre,
    /// Beside or behind the listener.
    SurroundLeft,
    SurroundRight,
    /// The bass of explosions, in which nobody speaks.
    LowFrequency,
    /// Nobody says where.
    Unknown,
}

/// The channels of a recording, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout(Vec<Place>);

impl Layout {
    /// Of no channel there is nothing to hear, so there is at least one.
    pub fn new(places: Vec<Place>) -> Self {
        if places.is_empty() { Self::of_count(1) } else { Self(places) }
    }

    /// Channels of which only the number is known.
    pub fn of_count(channels: usize) -> Self {
        match channels {
            0 | 1 => Self(vec![Place::Centre]),
            2 => Self(vec![Place::Left, Place::Right]),
            many => Self(vec![Place::Unknown; many]),
        }
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// All channels as two, by the weights that players use. The bass is left out; no side gets louder than one may be.
    pub(super) fn as_pair(&self) -> Fold {
        if self.count() == 2 {
            return self.each();
        }
        [0, 1].map(|side| normalised(self.0.iter().map(|place| place.weights()[side]).collect())).into()
    }

    /// All channels as one.
    pub(super) fn as_one(&self) -> Fold {
        let [left, right] = [0, 1].map(|side| self.as_pair()[side].clone());
        vec![normalised(left.iter().zip(right).map(|(left, right)| left + right).collect())]
    }

    /// Each channel as it is.
    pub(super) fn each(&self) -> Fold {
        self.onto(self.count())
    }

    /// Each channel to the stream of its number. What there is no stream for is added to the last one.
    pub(super) fn onto(&self, streams: usize) -> Fold {
        let weight = |stream, channel: usize| if channel.min(streams - 1) == stream { 1.0 } else { 0.0 };
        (0..streams)
            .map(|stream| normalised((0..self.count()).map(|channel| weight(stream, channel)).collect()))
            .collect()
    }
}

impl Place {
    /// How loud it is on the left and on the right: ITU-R BS.775's downmix.
    fn weights(self) -> [f32; 2] {
        const HALF_THE_POWER: f32 = std::f32::consts::FRAC_1_SQRT_2;
        match self {
            Self::Left => [1.0, 0.0],
            Self::Right => [0.0, 1.0],
            Self::Centre => [HALF_THE_POWER; 2],
            Self::SurroundLeft => [HALF_THE_POWER, 0.0],
            Self::SurroundRight => [0.0, HALF_THE_POWER],
            Self::LowFrequency => [0.0; 2],
            Self::Unknown => [1.0; 2],
        }
    }
}

/// The weights of a stream that is never louder than the loudest of its channels.
fn normalised(weights: Vec<f32>) -> Vec<f32> {
    let sum: f32 = weights.iter().sum();
    if sum > 0.0 { weights.into_iter().map(|weight| weight / sum).collect() } else { weights }
}

/// Splits what is interleaved into streams, appending to each.
pub(super) fn fold(weights: &[Vec<f32>], interleaved: &[f32], streams: &mut [Vec<f32>]) {
    for (weights, stream) in weights.iter().zip(streams) {
        let frames = interleaved.chunks_exact(weights.len());
        match alone(weights) {
            Some(channel) => stream.extend(frames.map(|frame| frame[channel])),
            None => stream.extend(
                frames.map(|frame| frame.iter().zip(weights).map(|(sample, weight)| sample * weight).sum::<f32>()),
            ),
        }
    }
}

/// The only channel that has a weight, where that is 1.
fn alone(weights: &[f32]) -> Option<usize> {
    let mut heard = weights.iter().enumerate().filter(|(_, weight)| **weight != 0.0);
    match (heard.next(), heard.next()) {
        (Some((channel, weight)), None) if *weight == 1.0 => Some(channel),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Layout, Place, fold};

    #[test]
    fn dialogue_in_the_centre_is_heard_and_the_bass_is_not() {
        let film = Layout::new(vec![
            Place::Left,
            Place::Right,
            Place::Centre,
            Place::LowFrequency,
            Place::SurroundLeft,
            Place::SurroundRight,
        ]);
        let mut streams = [Vec::new(), Vec::new()];
        fold(&film.as_pair(), &[0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0], &mut streams);
        for stream in streams {
            assert!((0.25..0.5).contains(&stream[0]), "the centre: {}", stream[0]);
            assert_eq!(stream[1], 0.0, "the bass");
        }
    }

    #[test]
    fn no_stream_is_louder_than_what_it_is_made_of() {
        for places in [
            vec![Place::Centre],
            vec![Place::Left, Place::Right],
            vec![Place::Left, Place::Right, Place::Centre, Place::LowFrequency],
            vec![Place::Unknown; 7],
            vec![Place::LowFrequency; 3],
        ] {
            let layout = Layout::new(places);
            for weights in [layout.as_one(), layout.as_pair(), layout.each(), layout.onto(2), layout.onto(9)].concat() {
                assert!(weights.iter().sum::<f32>() < 1.000_1, "{layout:?}: {weights:?}");
            }
        }
    }

    #[test]
    fn one_or_two_channels_are_what_they_were() {
        let mut one = [Vec::new()];
        fold(&Layout::of_count(1).as_one(), &[0.1, 0.2], &mut one);
        assert_eq!(one[0], [0.1, 0.2]);
        let mut pair = [Vec::new(), Vec::new()];
        fold(&Layout::of_count(2).as_pair(), &[0.1, 0.2, 0.3, 0.4], &mut pair);
        assert_eq!(pair, [[0.1, 0.3], [0.2, 0.4]]);
    }
}
