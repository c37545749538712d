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
use super::super::screen::{Screen, Seen};
use super::super::used::Gauge;
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
/// All walls have what they open with.
const WARM_UP: Duration = Duration::from_secs(4);

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

/// What the screen that is looked into received.
#[derive(Default)]
struct Received {
    packed: AtomicU64,
    entries: AtomicU64,
    frames: AtomicU64,
}

impl Received {
    async fn watch(self: Arc<Self>, mut screen: Socket) {
        let mut last_version = 0;
        while let Some(Ok(message)) = screen.next().await {
            if let Message::Binary(bytes) = &message
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

    fn read(&self) -> [f64; 3] {
        [&self.packed, &self.entries, &self.frames].map(|count| count.load(Ordering::Relaxed) as f64)
    }
}

/// `load.screens` walls and one more that is looked into: all walls get the same frames.
pub async fn measure(server: &Server, door: &Arc<Door>, load: Load) -> anyhow::Result<Vec<Row>> {
    let (seen, received) = (Arc::new(Seen::default()), Arc::new(Received::default()));
    let mut walk = Walk::begin(door, load.inspectors).await?;
    let mut watching = Vec::with_capacity(load.screens + 1);
    for _ in 0..load.screens {
        watching.push(tokio::spawn(Screen::new(door.clone(), seen.clone()).0.follow()));
    }
    let looked_into = door.screen(&[Topic::POSITIONS]).await?;
    watching.push(tokio::spawn(received.clone().watch(looked_into)));
    walk.go(WARM_UP).await?;
    let bytes_before = seen.bytes.load(Ordering::Relaxed);
    let before = received.read();
    let gauge = Gauge::begin(server)?;
    let reached = walk.go(Duration::from_secs(load.seconds)).await?;
    let used = gauge.end(server)?;
    let after = received.read();
    let bytes = seen.bytes.load(Ordering::Relaxed) - bytes_before;
    watching.iter().for_each(tokio::task::JoinHandle::abort);
    let [packed, entries, frames] = std::array::from_fn(|at| after[at] - before[at]);
    let (inspectors, screens) = (load.inspectors, load.screens);
    let measure = format!("{inspectors} inspectors, {FIXES_PER_SECOND} fixes/s, {screens} screens, 4 Hz");
    let each = bytes as f64 / used.seconds / screens as f64 / 1_000.0;
    let nominal = FIXES_PER_SECOND as f64;
    Ok(vec![
        Row::achieved(format!("{measure}: fixes sent"), reached, "1/s", nominal),
        Row::achieved("the same: fixes on a screen", entries / used.seconds, "1/s", nominal),
        Row::achieved("the same: ticks on a screen", frames / used.seconds, "1/s", TICKS_PER_SECOND),
        Row::at_most("the same: server", used.server_percent(), "% of a core", 5.0).under(&used),
        Row::at_most("the same: each screen", each, "KB/s", 12.0),
        Row::at_most("bytes per position on the wire", packed / entries.max(1.0), "B", 5.0),
    ])
}
