//! What one client has said: its subscriptions, where each stands, and how far its patience-testing has gone.
//!
//! Pure: fed with messages, asked for replies. Sockets are in `connection`.

use domain::wire::{ClientMessage, PROTOCOL, ResyncReason, ServerMessage, Topic};

use super::topics::Admission;
use crate::clock;
use crate::lasting::Lasting;
use crate::versioned::Head;

/// Topics one connection may follow.
pub const SUBSCRIPTIONS_MAX: usize = 64;
/// Mistakes after which the connection is closed.
const STRIKES_MAX: u8 = 8;
/// Messages a client may send at once; each second gives back [`MESSAGES_PER_SECOND`].
const MESSAGES_BURST: u16 = 160;
const MESSAGES_PER_SECOND: u16 = 20;
/// Longest name of a build that is kept.
const BUILD_BYTES_MAX: usize = 64;
/// Seconds in which the first message must come.
pub const HELLO_SECONDS: u64 = 10;

/// One topic a client follows.
#[derive(Debug, Clone)]
pub struct Subscription {
    pub topic: Topic,
    /// Version the client was last told; where its next delta starts.
    pub told: u64,
    /// Up to here nothing is new: looked at, though not worth a message.
    pub cursor: u64,
    /// Whether the client starts from nothing and is owed everything.
    pub whole: bool,
    /// Whether it has not been told yet that it has everything: it is, even when nothing is missing.
    pub owed: bool,
    /// Version of the topic's last change; none for positions and their numbers.
    pub head: Option<Head>,
    /// Deltas per second, 0 for no ceiling.
    max_hz: u8,
    /// Last time slot used, so that clients with the same ceiling share their frames.
    slot: u64,
}

impl Subscription {
    /// A message that leads to version `to` has been sent, on the way to `upto`.
    pub fn went_to(&mut self, to: u64, upto: u64) {
        (self.told, self.cursor) = (to, to);
        (self.whole, self.owed) = (false, self.owed && to < upto);
    }

    /// Whether the ceiling lets a delta go at `ms` milliseconds of the hub's life; uses the time slot if so.
    pub fn may_send(&mut self, ms: u64) -> bool {
        if self.max_hz == 0 {
            return true;
        }
        let slot = ms * u64::from(self.max_hz) / 1_000 + 1;
        let free = slot > self.slot;
        self.slot = slot;
        free
    }
}

/// What the connection does after a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// Send this, if anything, and go on.
    GoOn(Option<ServerMessage>),
    /// Send this and close.
    Close(ServerMessage),
}

/// What the hub knows that decides about a subscription.
#[derive(Debug, Clone)]
pub struct StandsAt {
    pub epoch: u64,
    /// Version of the topic nobody can be ahead of.
    pub ceiling: u64,
    /// Version of its last change, where it is counted by events.
    pub head: Option<Head>,
    /// Whether the client may follow it.
    pub admission: Admission,
}

/// One client's side of the protocol.
#[derive(Debug)]
pub struct Subscriber {
    pub subscriptions: Vec<Subscription>,
    /// Build of the screens that speaks, as it says itself; empty for others.
    build: String,
    /// How often areas had come to lie elsewhere when it was last asked what may be followed.
    areas: u64,
    greeted: bool,
    strikes: u8,
    tokens: u16,
    /// How often its state differed: a line in the log at anybody's will is one a minute.
    diverged: Lasting,
}

impl Default for Subscriber {
    fn default() -> Self {
        Self {
            subscriptions: Vec::new(),
            build: String::new(),
            areas: 0,
            greeted: false,
            strikes: 0,
            tokens: MESSAGES_BURST,
            diverged: Lasting::default(),
        }
    }
}

impl Subscriber {
    #[must_use]
    pub fn greeted(&self) -> bool {
        self.greeted
    }

    /// The build of the screens this client has said it is.
    #[must_use]
    pub fn build(&self) -> &str {
        &self.build
    }

    /// What it follows, in order: clients that follow the same share their heartbeats.
    #[must_use]
    pub fn followed(&self) -> Vec<Topic> {
        let mut topics: Vec<Topic> = self.subscriptions.iter().map(|one| one.topic.clone()).collect();
        topics.sort_unstable();
        topics
    }

    /// One second has passed.
    pub fn second(&mut self) {
        self.tokens = (self.tokens + MESSAGES_PER_SECOND).min(MESSAGES_BURST);
    }

    /// Answers what could not be read.
    pub fn unreadable(&mut self, words: String) -> Reply {
        self.refuse(None, "malformed", words)
    }

    /// Takes one message. `stands` says where a topic stands.
    pub fn take(&mut self, message: ClientMessage, stands: impl FnOnce(&Topic) -> StandsAt) -> Reply {
        let Some(tokens) = self.tokens.checked_sub(1) else {
            return self.refuse(None, "too_many_messages", "at most 20 messages a second".to_owned());
        };
        self.tokens = tokens;
        match message {
            ClientMessage::Hello { protocol, build } if protocol == PROTOCOL => {
                self.greeted = true;
                self.build = build;
                self.build.truncate(self.build.floor_char_boundary(BUILD_BYTES_MAX));
                Reply::GoOn(None)
            }
            ClientMessage::Hello { protocol, .. } => {
                let words = format!(
                    "this server speaks protocol {PROTOCOL}, the client {protocol}; reload the page or update the \
                     client"
                );
                metrics::counter!("gridhall_live_refused_total", "code" => "protocol").increment(1);
                Reply::Close(refused(None, "protocol", words))
            }
            ClientMessage::Subscribe { .. }
            | ClientMessage::Unsubscribe { .. }
            | ClientMessage::Diverged { .. }
                if !self.greeted =>
            {
                self.refuse(None, "hello_first", "the first message must be hello".to_owned())
            }
            ClientMessage::Subscribe { topic, epoch, from, max_hz } => {
                let stands = stands(&topic);
                self.subscribe(topic, epoch.map(|epoch| epoch.0).zip(from), max_hz, stands)
            }
            ClientMessage::Unsubscribe { topic } => {
                self.subscriptions.retain(|subscription| subscription.topic != topic);
                Reply::GoOn(None)
            }
            ClientMessage::Diverged { topic, version } => {
                if !self.subscriptions.iter().any(|one| one.topic == topic) {
                    // It follows nothing that could differ; where it has just been told to begin anew, it does.
                    return Reply::GoOn(None);
                }
                metrics::counter!("gridhall_live_divergence_total").increment(1);
                if let Some(times) = self.diverged.failed(clock::instant()) {
                    tracing::warn!(%topic, version, times, "a client's state differs from the server's; told once a minute");
                }
                self.resync(topic, ResyncReason::Diverged)
            }
        }
    }

    fn subscribe(
        &mut self,
        topic: Topic,
        place: Option<(u64, u64)>,
        max_hz: Option<u8>,
        stands: StandsAt,
    ) -> Reply {
        if let Some((code, words)) = stands.admission.refusal(&topic) {
            return self.refuse(Some(topic), code, words);
        }
        match place {
            Some((epoch, _)) if epoch != stands.epoch => {
                return self.resync(topic, ResyncReason::OtherEpoch);
            }
            Some((_, from)) if from > stands.ceiling => {
                return self.resync(topic, ResyncReason::AheadOfStore);
            }
            Some(_) | None => {}
        }
        let subscription = Subscription {
            told: place.map_or(0, |(_, from)| from),
            cursor: place.map_or(0, |(_, from)| from),
            whole: place.is_none(),
            owed: true,
            head: stands.head,
            max_hz: max_hz.unwrap_or(0),
            slot: 0,
            topic,
        };
        let count = self.subscriptions.len();
        match self.subscriptions.iter_mut().find(|known| known.topic == subscription.topic) {
            Some(known) => *known = subscription,
            None if count < SUBSCRIPTIONS_MAX => self.subscriptions.push(subscription),
            None => {
                let words = format!("at most {SUBSCRIPTIONS_MAX} topics on one connection");
                return self.refuse(Some(subscription.topic), "too_many_subscriptions", words);
            }
        }
        Reply::GoOn(None)
    }

    /// Ends a subscription with the word that its client must take a new snapshot.
    pub fn resync(&mut self, topic: Topic, reason: ResyncReason) -> Reply {
        metrics::counter!("gridhall_live_resyncs_total").increment(1);
        self.subscriptions.retain(|subscription| subscription.topic != topic);
        Reply::GoOn(Some(ServerMessage::Resync { topic, reason }))
    }

    /// Lets go of what may be followed no more since areas lie elsewhere; what the client is told. Why, it is told when it asks
    /// for it again.
    pub fn let_go(&mut self, areas: u64, may: impl Fn(&Topic) -> bool) -> Vec<ServerMessage> {
        if std::mem::replace(&mut self.areas, areas) == areas {
            return Vec::new();
        }
        let followed = self.subscriptions.iter().map(|one| &one.topic);
        let lost: Vec<Topic> = followed.filter(|topic| !may(topic)).cloned().collect();
        let said = lost.into_iter().map(|topic| match self.resync(topic, ResyncReason::TooFarBehind) {
            Reply::GoOn(message) => message,
            Reply::Close(message) => Some(message),
        });
        said.flatten().collect()
    }

    fn refuse(&mut self, topic: Option<Topic>, code: &'static str, words: String) -> Reply {
        metrics::counter!("gridhall_live_refused_total", "code" => code).increment(1);
        self.strikes += 1;
        let message = refused(topic, code, words);
        if self.strikes >= STRIKES_MAX { Reply::Close(message) } else { Reply::GoOn(Some(message)) }
    }
}

fn refused(topic: Option<Topic>, code: &str, words: String) -> ServerMessage {
    ServerMessage::Refused { topic, code: code.to_owned(), words }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Any reader of the feed could write twenty lines a second into the log, and was told to begin anew what it may not follow.
    #[test]
    fn a_difference_is_told_of_what_is_followed_and_once_a_minute() {
        let follows = |topic| Subscription {
            topic,
            told: 1,
            cursor: 1,
            whole: false,
            owed: false,
            head: None,
            max_hz: 0,
            slot: 0,
        };
        let mut client = Subscriber { greeted: true, ..Subscriber::default() };
        let stands = |topic: &Topic| -> StandsAt { panic!("{topic} is not asked for") };
        let diverged = |topic| ClientMessage::Diverged { topic, version: 1 };
        assert_eq!(client.take(diverged(Topic::OVERDUE), stands), Reply::GoOn(None), "not followed");
        assert_eq!(client.diverged.over(), None);
        for _ in 0..3 {
            client.subscriptions.push(follows(Topic::OVERDUE));
            let resync = ServerMessage::Resync { topic: Topic::OVERDUE, reason: ResyncReason::Diverged };
            assert_eq!(client.take(diverged(Topic::OVERDUE), stands), Reply::GoOn(Some(resync)));
        }
        assert_eq!(client.diverged.over(), Some(2), "told for the first alone");
    }
}
