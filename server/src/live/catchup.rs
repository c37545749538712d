//! Lines of the event log that are older than those held: read from the log in chunks all connections share. Who is
//! further behind than a screen can show gets the newest lines, with the gap before them declared.

use domain::case::Case;
use domain::event::Recorded;
use domain::feed::EVENTS_BACK;
use domain::wire::{EventLine, Topic};
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::{Mutex, OnceCell};

use super::Hub;
use super::digest;
use super::frames::{self, Format, Next};
use super::recent::{LINES_MAX, is_in};
use super::topics::{LINES_PER_FRAME, Rows, Step};

/// A client further behind than this is not led through what lies between.
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

impl History for crate::events::Reader {
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

    /// Fills what is held once after a start, so that all screens that come back cost one query together.
    pub async fn warm(&self) {
        self.warm
            .get_or_init(|| async {
                let (seq, floor) = {
                    let topics = self.hub.topics();
                    (topics.seq(), topics.recent.floor())
                };
                // Those that the start has read are held already; before them up to half of what fits is read.
                let from = seq.saturating_sub(LINES_MAX as u64 / 2).min(floor);
                let count = usize::try_from(floor - from).unwrap_or(0);
                match self.read(from, count).await {
                    Ok(lines) => self.hub.topics().recent.put_before(&lines),
                    Err(error) => tracing::warn!(error, "newest events could not be read for the live feed"),
                }
            })
            .await;
    }

    /// The delta that takes a client on that was told up to `told` and misses nothing up to `from`, which lies before
    /// what is held.
    pub async fn next(&self, topic: &Topic, format: Format, told: u64, from: u64) -> Next {
        let head = self.hub.topics().seq();
        if head.saturating_sub(from) > EVENTS_BEHIND_MAX {
            return self.newest(topic, format, told);
        }
        let (to, lines) = match self.lines(topic, from).await {
            Ok(Some(read)) => read,
            Ok(None) => return self.newest(topic, format, told),
            Err(error) => {
                tracing::warn!(error, from, "events could not be read for a client that was away");
                return self.newest(topic, format, told);
            }
        };
        let key = (topic.clone(), format, told, to);
        let rows = || Rows::Lines { since: told, lines };
        self.hub.0.frames.made_once(key, || frames::delta(format, topic, told, to, rows()))
    }

    /// A frame's worth of lines after `from`, and the event they reach; none when the log does not have them.
    async fn lines(&self, topic: &Topic, from: u64) -> Result<Option<(u64, Vec<Arc<EventLine>>)>, String> {
        let chunk = self.chunk(from).await?;
        let after = &chunk[chunk.partition_point(|line| line.seq <= from)..];
        let (Some(first), Some(last)) = (after.first(), after.last()) else { return Ok(None) };
        if first.seq != from + 1 {
            return Ok(None);
        }
        let mut lines = Vec::new();
        for line in after.iter().filter(|line| is_in(line, topic.part.as_ref())) {
            if lines.len() == LINES_PER_FRAME {
                return Ok(Some((line.seq - 1, lines)));
            }
            lines.push(line.clone());
        }
        Ok(Some((last.seq, lines)))
    }

    /// Goes on from the newest lines. The delta says after which event they are every one.
    fn newest(&self, topic: &Topic, format: Format, told: u64) -> Next {
        let (head, since, step) = {
            let topics = self.hub.topics();
            let (head, floor) = (topics.seq(), topics.recent.floor());
            let since = floor.max(head.saturating_sub(EVENTS_BACK));
            (head, since, topics.step(topic, since, head))
        };
        metrics::counter!("gridhall_live_events_left_out_total").increment(since.saturating_sub(told));
        let Step::Rows { to, rows: Rows::Lines { lines, .. } } = step else { return Next::TooFarBehind };
        self.hub.0.frames.made_once((topic.clone(), format, told, head), || {
            frames::delta(format, topic, told, to, Rows::Lines { since, lines })
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
        Ok(events.iter().map(|(recorded, case)| Arc::new(digest::line(recorded, case.as_ref()))).collect())
    }
}
