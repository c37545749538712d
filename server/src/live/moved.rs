//! Positions on the feed: packed frames for the UI, rows for the JSON feed.

use domain::position::Cell;
use domain::wire::{Payload, Topic};

use super::Hub;
use super::frames::{self, Format, Next};
use super::socket::Framed;
use crate::lock::lock;

/// What a subscriber of one cell, or of all, needs that stands at `from`; 0 for everything.
pub(super) fn next(hub: &Hub, topic: &Topic, scope: Option<Cell>, format: Format, from: u64) -> Next {
    let positions = &hub.0.positions;
    if positions.with(|table| table.is_from_before(from)) {
        return Next::TooFarBehind;
    }
    match format {
        Format::Binary => {
            let now = crate::clock::now();
            let (to, packed) = positions.with(|table| (table.version(), table.frames(scope, from, now)));
            if to <= from {
                return Next::Idle;
            }
            Next::Frames { to, messages: packed.into_iter().map(Framed::binary).collect() }
        }
        Format::Json => {
            let moved = positions.with(|table| table.rows(scope, from));
            if moved.rows.is_empty() {
                return Next::Idle;
            }
            let epoch = lock(&hub.0.board).epoch;
            frames::delta(format, topic, epoch, moved.from, moved.to, Payload::Positions(moved.rows))
        }
    }
}
