//! Where the decoder says that its channels are to be heard.

use symphonia::core::audio::{Channels, Position};

use crate::channels::{Layout, Place};

const LEFT: Position = Position::FRONT_LEFT.union(Position::FRONT_LEFT_CENTER).union(Position::TOP_FRONT_LEFT);
const RIGHT: Position = Position::FRONT_RIGHT.union(Position::FRONT_RIGHT_CENTER).union(Position::TOP_FRONT_RIGHT);
const SURROUND_LEFT: Position =
    Position::REAR_LEFT.union(Position::SIDE_LEFT).union(Position::TOP_REAR_LEFT).union(Position::TOP_SIDE_LEFT);
const SURROUND_RIGHT: Position =
    Position::REAR_RIGHT.union(Position::SIDE_RIGHT).union(Position::TOP_REAR_RIGHT).union(Position::TOP_SIDE_RIGHT);
const LOW_FREQUENCY: Position = Position::LFE1.union(Position::LFE2);

/// The channels of decoded samples, in the order in which these are interleaved.
pub(super) fn layout(channels: &Channels, planes: usize) -> Layout {
    match channels {
        Channels::Positioned(positions) if positions.iter().count() == planes && planes > 2 => {
            Layout::new(positions.iter().map(place).collect())
        }
        _ => Layout::of_count(planes),
    }
}

fn place(position: Position) -> Place {
    let places = [
        (LEFT, Place::Left),
        (RIGHT, Place::Right),
        (SURROUND_LEFT, Place::SurroundLeft),
        (SURROUND_RIGHT, Place::SurroundRight),
        (LOW_FREQUENCY, Place::LowFrequency),
    ];
    let found = places.into_iter().find(|(positions, _)| positions.contains(position));
    found.map_or(Place::Centre, |(_, place)| place)
}
