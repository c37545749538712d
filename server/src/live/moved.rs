//! Positions and who has their numbers, which the table of positions knows: packed frames for the UI, rows for the JSON
//! feed.

use domain::position::Cell;
use domain::wire::{Delta, Kind, Payload, Topic};

use super::Hub;
use super::frames::{self, Format, Next};
use super::topics::Rows;
use crate::position::table::Known;
use crate::versioned::TooFarBehind;

/// Rows of `who` looked at for one frame.
const ROWS_PER_FRAME: usize = 2_000;

/// What a subscriber of one cell, or of all, needs that stands at `from`; 0 for everything.
pub(super) fn positions(hub: &Hub, topic: &Topic, cell: Option<Cell>, format: Format, from: u64) -> Next {
    let (positions, part) = (&hub.0.positions, topic.part.as_ref());
    if positions.with(|table| table.is_from_before(part, cell, from)) {
        return Next::TooFarBehind;
    }
    match format {
        Format::Binary => {
            let now = hub.0.clock.now();
            let (to, packed) = positions.with(|table| (table.version(), table.frames(part, cell, from, now)));
            if to <= from || packed.is_empty() {
                return Next::Idle;
            }
            Next::Packed { to, frames: packed.into_iter().map(super::socket::Framed::binary).collect() }
        }
        Format::Json => {
            let moved = positions.with(|table| table.rows(part, cell, from));
            // No rows are news where they are everything: the cell is empty now.
            if moved.rows.is_empty() && (moved.from != 0 || from == 0) {
                return Next::Idle;
            }
            let (from, to) = (moved.from, moved.to);
            let payload = Payload::Positions(moved.rows);
            frames::encoded(format, &Delta { topic: topic.clone(), from, to, payload })
        }
    }
}

/// What a subscriber of `who` needs that stands at `from`.
pub(super) fn who(hub: &Hub, topic: &Topic, format: Format, from: u64, upto: u64) -> Next {
    let part = topic.part.as_ref();
    let since = hub.0.positions.with(|table| table.who().since(from, upto, ROWS_PER_FRAME, part));
    match since {
        Err(TooFarBehind) => Next::TooFarBehind,
        Ok(stretch) if stretch.rows.is_empty() => Next::Idle,
        Ok(stretch) => {
            let row =
                |(id, version, known): (u64, u64, Option<Known>)| (id, version, known.map(|known| known.row));
            let rows = stretch.rows.into_iter().map(row).collect();
            frames::delta(format, topic, from, stretch.to, Rows::Who(rows))
        }
    }
}

/// A delta without rows: the answer to a subscription where nothing is missing.
pub(super) fn nothing(format: Format, topic: &Topic, from: u64, to: u64) -> Next {
    let payload = match topic.kind {
        Kind::Positions | Kind::Position(_) => Payload::Positions(Vec::new()),
        Kind::Tally => Payload::Tally(Vec::new()),
        Kind::Overdue => Payload::Overdue(Vec::new()),
        Kind::Open => Payload::Open(domain::wire::OpenRows::default()),
        Kind::Whistle => Payload::Whistle(Vec::new()),
        Kind::Who => Payload::Who(Vec::new()),
        Kind::Case => Payload::Case(domain::wire::Events { since: from, lines: Vec::new() }),
    };
    frames::encoded(format, &Delta { topic: topic.clone(), from, to, payload })
}
