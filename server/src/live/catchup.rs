//! Lines of the event log that are older than the ring: read from the store in chunks all connections share.

use domain::case::Case;
use domain::event::Recorded;
use domain::wire::{EventLine, Topic};
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::{Mutex, OnceCell};

use super::Hub;
use super::board::{self, LINES_PER_FRAME, lines_payload};
use super::frames::{self, Format, Next};
use super::ring::LINES_MAX;
use crate::lock::lock;

/// A client further behind than this starts anew.
const EVENTS_BEHIND_MAX: u64 = 10_000;
/// Lines of one chunk.
const CHUNK: u64 = 512;
/// Chunks kept: together they reach as far back as a client may be behind.
const CHUNKS_MAX: usize = 24;

/// The store's event log, read on a thread that may wait for the disk.
pub trait History: Send + Sync {
    /// Events after `seq` in order, each with its case as the store has it now.
    fn events_after(&self, seq: u64, limit: usize) -> Result<Vec<(Recorded, Option<Case>)>, String>;
}

impl History for crate::store::Reader {
    fn events_after(&self, seq: u64, limit: usize) -> Result<Vec<(Recorded, Option<Case>)>, String> {
        self.events_after(seq, limit).map_err(|error| error.chain())
    }
}

type Lines = Arc<Vec<Arc<EventLine>>>;

/// Chunks of the log by their first sequence number less one.
pub struct Catchup {
    hub: Hub,
    history: Arc<dyn History>,
    warm: OnceCell<()>,
    chunks: Mutex<VecDeque<(u64, Lines)>>,
}

impl Catchup {
    #[must_use]
    pub fn new(hub: Hub, history: Arc<dyn History>) -> Self {
        Self { hub, history, warm: OnceCell::new(), chunks: Mutex::new(VecDeque::new()) }
    }

    /// Fills the ring once after a start, so that all screens that come back cost one query together.
    pub async fn warm(&self) {
        self.warm
            .get_or_init(|| async {
                let floor = lock(&self.hub.0.board).ring.floor();
                let from = floor.saturating_sub(LINES_MAX as u64 / 2);
                let count = usize::try_from(floor - from).unwrap_or(0);
                match self.read(from, count).await {
                    Ok(lines) => lock(&self.hub.0.board).ring.put_before(&lines),
                    Err(error) => tracing::warn!(error, "newest events could not be read for the live feed"),
                }
            })
            .await;
    }

    /// The frame that takes a client on from `from`, which lies before the ring.
    pub async fn next(&self, topic: &Topic, format: Format, from: u64) -> Next {
        let Topic::Case(area) = topic else { return Next::TooFarBehind };
        let (epoch, head) = {
            let board = lock(&self.hub.0.board);
            (board.epoch, board.ring.head())
        };
        if head.saturating_sub(from) > EVENTS_BEHIND_MAX {
            return Next::TooFarBehind;
        }
        let lines = match self.chunk(from).await {
            Ok(lines) => lines,
            Err(error) => {
                tracing::warn!(error, from, "events could not be read for a client that was away");
                return Next::TooFarBehind;
            }
        };
        let begin = lines.partition_point(|line| line.seq <= from);
        let lines = &lines[begin..(begin + LINES_PER_FRAME).min(lines.len())];
        let (Some(first), Some(last)) = (lines.first(), lines.last()) else { return Next::TooFarBehind };
        if first.seq != from + 1 {
            return Next::TooFarBehind;
        }
        let key = (topic.clone(), format, from, last.seq);
        self.hub.0.frames.made_once(key, || {
            frames::delta(format, topic, epoch, from, last.seq, lines_payload(lines, area.as_ref()))
        })
    }

    /// The chunk that holds the line after `from`. Connections that wait for the same chunk wait for one query.
    async fn chunk(&self, from: u64) -> Result<Lines, String> {
        let start = from / CHUNK * CHUNK;
        let mut chunks = self.chunks.lock().await;
        if let Some((_, lines)) = chunks.iter().find(|(known, _)| *known == start) {
            return Ok(lines.clone());
        }
        let lines = Arc::new(self.read(start, CHUNK as usize).await?);
        if lines.len() == CHUNK as usize {
            chunks.push_back((start, lines.clone()));
            if chunks.len() > CHUNKS_MAX {
                chunks.pop_front();
            }
        }
        Ok(lines)
    }

    async fn read(&self, after: u64, count: usize) -> Result<Vec<Arc<EventLine>>, String> {
        if count == 0 {
            return Ok(Vec::new());
        }
        metrics::counter!("gridhall_live_store_reads_total").increment(1);
        let history = self.history.clone();
        let events = tokio::task::spawn_blocking(move || history.events_after(after, count))
            .await
            .map_err(|error| error.to_string())??;
        Ok(events.iter().map(|(recorded, case)| Arc::new(board::line(recorded, case.as_ref()))).collect())
    }
}
