//! Inspectors walk, screens watch: processor time of the server, bytes to each screen, bytes a position, and whether
//! the load was the one that was meant.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use domain::position::Frame;
use domain::wire::{KIND_POSITIONS, Topic};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::super::door::{Door, Socket};
use super::super::{Row, Server};
use super::{Load, cases};

/// Fixes a second, as 10,000 inspectors make with one every five seconds.
pub const FIXES_PER_SECOND: usize = 2_000;
/// Batches a second.
const BATCHES_PER_SECOND: usize = 8;
/// Fixes in one request while everyone is placed.
const BATCH: usize = 1_000;
/// Frames a second and cell.
const TICKS_PER_SECOND: f64 = 4.0;

/// Inspectors on their way.
pub struct Walk {
    door: Arc<Door>,
    inspectors: usize,
    /// Who moves next, counted on and on.
    next: usize,
}

impl Walk {
    /// Places everyone.
    pub async fn begin(door: &Arc<Door>, inspectors: usize) -> anyhow::Result<Self> {
        let mut walk = Self { door: door.clone(), inspectors, next: 0 };
        while walk.next < inspectors {
            walk.step(BATCH.min(inspectors - walk.next)).await?;
        }
        Ok(walk)
    }

    /// Walks at the nominal rate; gives the fixes a second that were reached.
    pub async fn go(&mut self, length: Duration) -> anyhow::Result<f64> {
        let began = Instant::now();
        let first = self.next;
        let mut beats = tokio::time::interval(Duration::from_millis(1_000 / BATCHES_PER_SECOND as u64));
        while began.elapsed() < length {
            beats.tick().await;
            self.step(FIXES_PER_SECOND / BATCHES_PER_SECOND).await?;
        }
        Ok((self.next - first) as f64 / began.elapsed().as_secs_f64())
    }

    /// Posts the next `count` inspectors' positions, six metres on from where they were a round ago.
    async fn step(&mut self, count: usize) -> anyhow::Result<()> {
        let now = cases::now()?;
        let fixes: Vec<Value> = (self.next..self.next + count)
            .map(|number| {
                let (person, round) = (number % self.inspectors, (number / self.inspectors) as f64);
                let (row, column) = ((person / 100) as f64, (person % 100) as f64);
                let heading = (person * 37 % 360) as f64;
                let (north, east) = (heading.to_radians().cos(), heading.to_radians().sin());
                json!({
                    "inspector": format!("B{person:05}"),
                    "place": {
                        "lat": 25.0 + row * 0.0018 + round * 5.4e-5 * north,
                        "lon": 102.68 + column * 0.0018 + round * 5.9e-5 * east,
                    },
                    "fixed": now,
                    "speed_mps": 1.2,
                    "heading_deg": heading,
                })
            })
            .collect();
        let answer: Value =
            serde_json::from_str(&self.door.post("/api/v1/positions", json!({ "fixes": fixes })).await?)?;
        anyhow::ensure!(answer["taken"] == count, "positions were refused: {}", answer["refused"][0]);
        self.next += count;
        Ok(())
    }
}

/// What the screens received.
#[derive(Default)]
struct Received {
    bytes: AtomicU64,
    /// Of the first screen alone: all get the same frames.
    packed: AtomicU64,
    entries: AtomicU64,
    frames: AtomicU64,
}

impl Received {
    async fn watch(self: Arc<Self>, mut screen: Socket, counts: bool) {
        let mut last_version = 0;
        while let Some(Ok(message)) = screen.next().await {
            self.bytes.fetch_add(message.len() as u64, Ordering::Relaxed);
            if counts
                && let Message::Binary(bytes) = &message
                && bytes.first() == Some(&KIND_POSITIONS)
                && let Ok(frame) = Frame::decode(&bytes[1..])
                && frame.from != 0
            {
                self.packed.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                self.entries.fetch_add(frame.entries.len() as u64, Ordering::Relaxed);
                // Cells of one tick share a version.
                self.frames.fetch_add(u64::from(frame.to != last_version), Ordering::Relaxed);
                last_version = frame.to;
            }
        }
    }

    fn read(&self) -> [f64; 4] {
        [&self.bytes, &self.packed, &self.entries, &self.frames]
            .map(|count| count.load(Ordering::Relaxed) as f64)
    }
}

pub async fn measure(server: &Server, door: &Arc<Door>, load: Load) -> anyhow::Result<Vec<Row>> {
    let received = Arc::new(Received::default());
    let mut walk = Walk::begin(door, load.inspectors).await?;
    let mut watching = Vec::with_capacity(load.screens);
    for number in 0..load.screens {
        let screen = door.screen(&[Topic::Positions]).await?;
        watching.push(tokio::spawn(received.clone().watch(screen, number == 0)));
    }
    walk.go(Duration::from_secs(2)).await?;
    let (cpu_before, _) = server.usage()?;
    let before = received.read();
    let began = Instant::now();
    let reached = walk.go(Duration::from_secs(load.seconds)).await?;
    let seconds = began.elapsed().as_secs_f64();
    let (cpu_after, _) = server.usage()?;
    let after = received.read();
    watching.iter().for_each(tokio::task::JoinHandle::abort);
    let [bytes, packed, entries, frames] = std::array::from_fn(|at| after[at] - before[at]);
    let (inspectors, screens) = (load.inspectors, load.screens);
    let measure = format!("{inspectors} inspectors, {FIXES_PER_SECOND} fixes/s, {screens} screens, 4 Hz");
    let cpu = (cpu_after - cpu_before) / seconds * 100.0;
    let each = bytes / seconds / screens as f64 / 1_000.0;
    Ok(vec![
        Row::achieved(format!("{measure}: fixes sent"), reached, "1/s", FIXES_PER_SECOND as f64),
        Row::achieved("the same: fixes on a screen", entries / seconds, "1/s", FIXES_PER_SECOND as f64),
        Row::achieved("the same: ticks on a screen", frames / seconds, "1/s", TICKS_PER_SECOND),
        Row::at_most("the same: server", cpu, "% of a core", 25.0),
        Row::at_most("the same: each screen", each, "KB/s", 12.0),
        Row::at_most("bytes per position on the wire", packed / entries.max(1.0), "B", 5.0),
    ])
}
