//! Heartbeats, made once for all connections that follow the same set of topics: thousands of idle screens follow a
//! handful of sets.
//!
//! What should be here: which sets there are, and a heartbeat's message for one. What should not: when it beats.

use domain::moment::UtcMillis;
use domain::wire::{Hex64, ServerMessage, Topic};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, OnceLock, Weak};

use super::frames::{self, Format};
use super::socket::Framed;
use crate::lock::lock;

/// One heartbeat as the pacer saw the hall at its moment.
#[derive(Debug)]
pub struct Beat {
    pub number: u64,
    pub server_ms: UtcMillis,
    /// How fast the hall's clock goes, in thousandths.
    pub pace_milli: u32,
    /// Last event of the log.
    pub head: u64,
    /// Version of the last change of every topic in use, and its hash when this beat carries hashes.
    pub topics: HashMap<Topic, (u64, Option<u64>)>,
    pub degraded: u8,
    /// Version of the policy in force.
    pub policy: u64,
    /// Whether a ping goes with it.
    pub ping: bool,
}

/// Topics that some connections follow together.
#[derive(Debug)]
pub struct Set {
    topics: Vec<Topic>,
    made: Mutex<(u64, Arc<[OnceLock<Framed>; 2]>)>,
}

impl Set {
    /// The beat's message for this set.
    pub fn heartbeat(&self, beat: &Beat, format: Format) -> Framed {
        let places = {
            let mut made = lock(&self.made);
            if made.0 != beat.number {
                *made = (beat.number, Arc::default());
            }
            made.1.clone()
        };
        let place = match format {
            Format::Binary => &places[0],
            Format::Json => &places[1],
        };
        place.get_or_init(|| frames::encode(format, &self.message(beat))).clone()
    }

    fn message(&self, beat: &Beat) -> ServerMessage {
        let known = self.topics.iter().filter_map(|topic| Some((topic, beat.topics.get(topic)?)));
        ServerMessage::Heartbeat {
            server_ms: beat.server_ms,
            head: beat.head,
            heads: known.clone().map(|(topic, (head, _))| (topic.clone(), *head)).collect(),
            hashes: known
                .filter_map(|(topic, (head, hash))| Some((topic.clone(), *head, Hex64((*hash)?))))
                .collect(),
            degraded: beat.degraded,
            policy: beat.policy,
            pace_milli: beat.pace_milli,
        }
    }
}

/// All sets that anybody follows.
#[derive(Debug, Default)]
pub struct Sets {
    known: Mutex<HashMap<Vec<Topic>, Weak<Set>>>,
}

impl Sets {
    /// The set of these topics, which are in order.
    pub fn of(&self, topics: Vec<Topic>) -> Arc<Set> {
        let mut known = lock(&self.known);
        if let Some(set) = known.get(&topics).and_then(Weak::upgrade) {
            return set;
        }
        known.retain(|_, set| set.strong_count() > 0);
        let made = Mutex::new((u64::MAX, Arc::default()));
        let set = Arc::new(Set { topics: topics.clone(), made });
        known.insert(topics, Arc::downgrade(&set));
        set
    }

    /// Every topic that anybody follows.
    pub fn topics(&self) -> BTreeSet<Topic> {
        let known = lock(&self.known);
        known
            .iter()
            .filter(|(_, set)| set.strong_count() > 0)
            .flat_map(|(topics, _)| topics)
            .cloned()
            .collect()
    }
}
