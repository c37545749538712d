//! What a connection costs the server's memory.

use std::time::Duration;

use domain::position::Cell;
use domain::wire::{Kind, Topic};

use super::super::door::Door;
use super::super::{Row, Server};

/// Steps in which connections are added. The first is not counted: it pays for threads' heaps, and fills room that
/// earlier work has left.
const STEPS: usize = 4;
const SETTLE: Duration = Duration::from_secs(2);

/// A connection without topics, and with eight.
pub async fn measure(server: &Server, door: &Door, screens: usize) -> anyhow::Result<Vec<Row>> {
    let eight = [
        Topic::TALLY,
        Topic::OVERDUE,
        Topic::WHISTLE,
        Topic::CASE,
        Topic::POSITIONS,
        Topic::of(Kind::Position(Cell { x: 1_027, y: 250 })),
        Topic::of(Kind::Position(Cell { x: 1_027, y: 251 })),
        Topic::of(Kind::Position(Cell { x: 1_028, y: 250 })),
    ];
    let (_, resident) = server.usage()?;
    let mut rows = vec![Row::plain("server after a restart, resident", resident / 1_048_576.0, "MiB")];
    for (measure, topics, most) in [
        ("idle connection, resident", &eight[..0], 8.0),
        ("connection with 8 topics, resident", &eight, 20.0),
    ] {
        let mut open = Vec::with_capacity(STEPS * screens);
        let mut resident = Vec::with_capacity(STEPS);
        for _ in 0..STEPS {
            for _ in 0..screens {
                open.push(door.screen(topics).await?);
            }
            tokio::time::sleep(SETTLE).await;
            resident.push(server.usage()?.1);
        }
        let grown = resident[STEPS - 1] - resident[0];
        let each = grown / 1_024.0 / ((STEPS - 1) * screens) as f64;
        rows.push(Row::at_most(measure, each, "KiB", most));
        drop(open);
        tokio::time::sleep(SETTLE).await;
    }
    Ok(rows)
}
