//! What a heartbeat says against what is held: whether a delta is missing, whether the state is the server's.
//!
//! What should be here: comparing heads and hashes. What should not: what is done about a topic (`follower`).

use super::Follower;
use super::stand::Stand;
use crate::wire::{ClientMessage, Kind, Topic};

/// Heartbeats that name a newer head of a topic without a delta coming: it is asked for again.
const BEATS_BEHIND_MAX: u8 = 5;

impl Follower {
    /// A newer head of a topic again and again, and nothing comes: a delta was lost on the way.
    pub(super) fn look_whether_behind(&mut self, topic: &Topic, head: u64) {
        let Some(at) = self.find(topic) else { return };
        let one = &mut self.topics[at];
        let behind = matches!(one.stand, Stand::At { version, .. } if version < head);
        one.beats_behind = if behind { one.beats_behind + 1 } else { 0 };
        if one.beats_behind >= BEATS_BEHIND_MAX && !matches!(topic.kind, Kind::Positions | Kind::Position(_))
        {
            self.counts.gaps += 1;
            self.subscribe(at);
        }
    }

    /// The server's hash of a topic against ours. Of topics that count events it holds from `version` to `head`.
    pub(super) fn compare(&mut self, topic: &Topic, version: u64, head: u64, hash: u64) {
        let Some(at) = self.find(topic) else { return };
        let Stand::At { version: own, .. } = self.topics[at].stand else { return };
        let until = if topic.kind.counts_events() { head.max(version) } else { version };
        let there = (version..=until).contains(&own);
        let Some(held) = self.held.hash(topic.kind).filter(|_| there) else { return };
        self.compared = true;
        if held != hash {
            self.counts.divergences += 1;
            self.say(ClientMessage::Diverged { topic: topic.clone(), version: own });
            self.topics[at].answered = false;
            self.fetch(at);
        }
    }
}
