//! What a follower says of itself: where its topics stand, whether it has everything, what went wrong, what to do next.

use super::{Follower, Held};
use crate::drill::breaking::BreakingRows;
use crate::moment::UtcMillis;
use crate::wire::{ClientMessage, Hex64, Kind, Topic};

/// What the owner of the socket does next.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    Say(ClientMessage),
    /// Take the topic's snapshot and hand it to [`Follower::fetched`].
    Fetch(Topic),
    /// Rows of this kind have changed.
    Changed(Kind),
    /// Nothing has been heard for too long: drop the connection and say so with [`Follower::lost`].
    GiveUp,
    /// Real cases of the first level, as they are heard in a drill; all of them anew each time.
    Breaking(BreakingRows),
    /// The server did not accept something.
    Refused {
        topic: Option<Topic>,
        code: String,
        words: String,
    },
}

/// What went wrong and was mended, since the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Topics taken anew at the server's word.
    pub resyncs: u32,
    /// Topics whose hash differed from the server's.
    pub divergences: u32,
    /// Deltas that did not follow on what is held.
    pub gaps: u32,
    /// Events left out, as declared.
    pub events_left_out: u64,
}

/// Where a topic stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Stand {
    Unknown,
    /// A snapshot is on its way, over whatever is held.
    Fetching,
    /// Waits until a snapshot is asked for again.
    FetchAt(u64),
    At {
        epoch: Hex64,
        version: u64,
    },
    /// The server does not give it to this client.
    Refused,
}

#[derive(Debug)]
pub(super) struct Following {
    pub topic: Topic,
    pub stand: Stand,
    /// Something has been held of it since the beginning.
    pub known: bool,
    /// This connection's subscription has been answered.
    pub answered: bool,
    pub beats_behind: u8,
    /// Snapshots that could not be had, one after another.
    pub misses: u8,
}

impl Following {
    pub fn of(topic: Topic) -> Self {
        Self { topic, stand: Stand::Unknown, known: false, answered: false, beats_behind: 0, misses: 0 }
    }
}

impl Follower {
    #[must_use]
    pub fn held(&self) -> &Held {
        &self.held
    }

    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// How often what is held differed from the server's; none before the two were first compared.
    #[must_use]
    pub fn divergences(&self) -> Option<u32> {
        self.compared.then_some(self.counts.divergences)
    }

    /// Whether the server speaks otherwise than this page: it is not followed then.
    #[must_use]
    pub fn is_of_other_protocol(&self) -> bool {
        self.other_protocol
    }

    #[must_use]
    pub fn is_welcomed(&self) -> bool {
        self.welcomed_at.is_some()
    }

    /// The hall's clock as last heard, and how fast it goes, in thousandths of the pace at which time passes.
    #[must_use]
    pub fn server_time(&self) -> Option<(UtcMillis, u32)> {
        self.server_time
    }

    /// 0 normal; 1–3 positions are thinned out.
    #[must_use]
    pub fn degraded(&self) -> u8 {
        self.degraded
    }

    /// Whether names, areas and limits are to be asked for: there are none yet, or the hall goes by another version of the
    /// policy than `held`, as the last heartbeat said. Whatever was missed meanwhile.
    #[must_use]
    pub fn wants_names(&self, held: Option<u64>) -> bool {
        held.is_none() || self.policy.is_some_and(|told| held != Some(told))
    }

    /// When the server was last heard, by the clock of the inputs.
    #[must_use]
    pub fn heard_ms(&self) -> u64 {
        self.heard_ms
    }

    /// Whether the server hands out another build of the screens, or speaks another protocol: this page is to be loaded
    /// anew.
    #[must_use]
    pub fn is_outdated(&self) -> bool {
        let differs = |theirs: &String| !theirs.is_empty() && !self.build.is_empty() && *theirs != self.build;
        self.other_protocol || self.server_build.as_ref().is_some_and(differs)
    }

    /// Whether something of this kind has been held since the beginning: before that its figures are not known.
    #[must_use]
    pub fn knows(&self, kind: Kind) -> bool {
        self.topics.iter().any(|one| one.topic.kind == kind && one.known && self.counts_here(&one.topic))
    }

    /// Whether the cells of a topic can be there: what is one department's is counted in no cell.
    fn counts_here(&self, topic: &Topic) -> bool {
        topic.kind != Kind::Tally || *topic == Topic::TALLY || !self.held.summed.is_empty()
    }

    /// Where a topic stands: epoch and version; none while it is being taken.
    #[must_use]
    pub fn stand(&self, topic: &Topic) -> Option<(Hex64, u64)> {
        match self.topics.iter().find(|one| one.topic == *topic)?.stand {
            Stand::At { epoch, version } => Some((epoch, version)),
            Stand::Unknown | Stand::Fetching | Stand::FetchAt(_) | Stand::Refused => None,
        }
    }

    /// Whether everything is here that the hall knew when this connection was welcomed.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let Some(head) = self.welcomed_at else { return false };
        self.topics.iter().all(|one| match one.stand {
            Stand::At { version, .. } => one.answered && (version >= head || !one.topic.kind.counts_events()),
            // Positions stand nowhere but on the map.
            Stand::Unknown => one.answered,
            Stand::Refused => true,
            Stand::Fetching | Stand::FetchAt(_) => false,
        })
    }
}
