//! One tile: facts in, what it says and what its scripts shall do out.
//!
//! What should be here: the decision. What should not: how facts come about, words.

use super::facts::{Engine, Facts, Says};
use super::shed::left;
use super::told::{Shown, Told, Why};
use crate::stream::State;

/// A live picture older than this is said to be delayed; it is live again below the second figure.
const DELAYED_AFTER_MS: u32 = 1_500;
const LIVE_AGAIN_BELOW_MS: u32 = 1_000;
/// A still every second or two is normal; older ones are delayed.
const STILL_DELAYED_AFTER_MS: u32 = 5_000;
/// Without the server for this long, a tile is lost; before, its picture only grows older.
const LINK_LOST_AFTER_MS: i64 = 4_000;
/// After a reconnect the last picture stays up for this long while the camera is asked for again.
const REOPEN_GRACE_MS: i64 = 3_000;

/// What a tile's scripts shall do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Whether pictures are painted as they come. Otherwise the last one is kept for the page to show grey.
    pub show: bool,
    /// Whether a camera that has not shown anything yet is preceded by its stored picture.
    pub snapshot: bool,
    /// A playing picture older than this is reported as standing; a standing one below it as moving.
    pub standing_after_ms: u32,
}

impl Default for Rule {
    /// As a script begins: pictures are painted until it is told otherwise.
    fn default() -> Self {
        Self { show: true, snapshot: false, standing_after_ms: DELAYED_AFTER_MS }
    }
}

/// A tile's facts, and the caller's clock when they were heard.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tile {
    facts: Facts,
    /// None before the first facts: nobody is there yet to do anything.
    heard_ms: Option<u64>,
}

impl Tile {
    /// Facts have come. `now_ms` is any clock of the caller's that does not run backwards, in milliseconds; the server's
    /// time is carried on with it until the next facts.
    pub fn hear(&mut self, facts: Facts, now_ms: u64) {
        self.facts = facts;
        self.heard_ms = Some(now_ms);
    }

    /// What holds at `now_ms`: what to say, and what to do. The same facts at the same time always give the same.
    #[must_use]
    pub fn decide(&self, now_ms: u64) -> (Told, Rule) {
        let Some(heard_ms) = self.heard_ms else { return <(Told, Rule)>::default() };
        let passed = i64::try_from(now_ms.saturating_sub(heard_ms)).unwrap_or(i64::MAX);
        let server_ms = self.facts.now_ms.saturating_add(passed);
        let told = Told { frame_ms: self.facts.picture_ms, ..self.told(server_ms) };
        let rule = self.rule(&told, server_ms);
        (told, rule)
    }

    /// From the page outwards: what fails nearest to the person is why nothing behind it is seen.
    fn told(&self, now_ms: i64) -> Told {
        let facts = &self.facts;
        if let Some(why) = not_running(facts.engine) {
            let lost = Shown::Lost { since_ms: facts.down_since_ms };
            let retry_s = seconds_until(facts.engine_retry_ms, now_ms);
            return Told { why: Some(why), retry_s, ..Told::new(lost) };
        }
        if facts.full {
            return Told { why: Some(Why::TileLimit), ..Told::new(Shown::Refused {}) };
        }
        if let Some(codec) = &facts.unplayable {
            let why = Some(Why::Stream(crate::stream::Cause::Codec));
            return Told { why, reason: Some(codec.clone()), ..Told::new(Shown::Unsupported {}) };
        }
        if let Some(since) = self.lost_link(now_ms) {
            let lost = Shown::Lost { since_ms: Some(since) };
            let retry_s = seconds_until(facts.redial_ms, now_ms);
            return Told { why: Some(Why::Link), retry_s, ..Told::new(lost) };
        }
        if let Some(reason) = &facts.refusal {
            return Told { reason: Some(reason.clone()), ..Told::new(Shown::Refused {}) };
        }
        let Some(says) = &facts.says else {
            return if facts.painted && !self.grace_is_over(now_ms) {
                self.moving(now_ms)
            } else {
                self.connecting(now_ms)
            };
        };
        self.by_server(says, now_ms)
    }

    /// What the server says of the stream, as far as the page has pictures to it.
    fn by_server(&self, says: &Says, now_ms: i64) -> Told {
        let with_cause = |shown| Told {
            why: says.cause.map(Why::Stream),
            reason: says.reason.clone(),
            retry_s: seconds_until(says.retry_at_ms, now_ms),
            ..Told::new(shown)
        };
        let (painted, late) = (self.facts.painted, self.facts.standing);
        match says.state {
            Some(State::Live) if painted => self.moving(now_ms),
            Some(State::Delayed) if painted => self.late(now_ms),
            Some(State::KeyFrames) if painted && late => self.late(now_ms),
            Some(State::KeyFrames) if painted => {
                let interval_s = self.facts.still_every_ms.map(|every| ((every + 500) / 1_000).max(1));
                Told { retry_s: None, ..with_cause(Shown::KeyFrames { interval_s }) }
            }
            // The last picture from before the interruption, for the moment of dialling anew.
            Some(State::Connecting) if painted && !self.grace_is_over(now_ms) => self.moving(now_ms),
            // Never a state of pictures without one that has been painted; nor one that a newer server names.
            Some(State::Connecting | State::Live | State::Delayed | State::KeyFrames) | None => {
                self.connecting(now_ms)
            }
            Some(State::Lost) => with_cause(Shown::Lost { since_ms: Some(says.since_ms) }),
            Some(State::Refused) => with_cause(Shown::Refused {}),
            Some(State::Unsupported) => with_cause(Shown::Unsupported {}),
            Some(State::Gone) => with_cause(Shown::Gone {}),
        }
    }

    fn connecting(&self, now_ms: i64) -> Told {
        let facts = &self.facts;
        // A camera that comes back has not been waited for since the morning.
        let since = facts.says.as_ref().map_or(facts.asked_ms, |says| says.since_ms.max(facts.asked_ms));
        Told::new(Shown::Connecting { waited_s: seconds(now_ms.saturating_sub(since)) })
    }

    fn moving(&self, now_ms: i64) -> Told {
        if self.facts.standing {
            return self.late(now_ms);
        }
        // A finer figure would only flicker.
        let delay_ms = self.facts.delay_ms.map(|delay| (delay.saturating_add(50) / 100 * 100).max(100));
        Told { left: left(&self.facts), ..Told::new(Shown::Live { delay_ms }) }
    }

    fn late(&self, now_ms: i64) -> Told {
        // Until the scripts have said how old it is, the picture's time is only as new as the last facts.
        let age_ms = match (self.facts.standing, self.facts.picture_ms) {
            (true, Some(picture_ms)) => now_ms.saturating_sub(picture_ms),
            _ => 0,
        };
        Told::new(Shown::Delayed { delay_s: seconds(age_ms.saturating_add(500)).max(1) })
    }

    fn rule(&self, told: &Told, now_ms: i64) -> Rule {
        let facts = &self.facts;
        let says = facts.says.as_ref().and_then(|says| says.state);
        let comes = match says {
            // What the server sends now is painted as soon as it comes, and is said to be live when that has happened.
            Some(State::Live | State::Delayed | State::KeyFrames) => true,
            Some(State::Connecting) | None => !facts.painted || !self.grace_is_over(now_ms),
            Some(State::Lost | State::Refused | State::Unsupported | State::Gone) => false,
        };
        let state = told.shown.state();
        let stands = match state {
            State::Connecting | State::Live | State::Delayed | State::KeyFrames => true,
            State::Lost | State::Refused | State::Unsupported | State::Gone => false,
        };
        let standing_after_ms = if says == Some(State::Delayed) {
            0
        } else if says == Some(State::KeyFrames) {
            STILL_DELAYED_AFTER_MS
        } else if state == State::Delayed {
            LIVE_AGAIN_BELOW_MS
        } else {
            DELAYED_AFTER_MS
        };
        let snapshot = state == State::Connecting && facts.picture_ms.is_none();
        Rule { show: comes && stands, snapshot, standing_after_ms }
    }

    /// Since when the server has been away, once that is long enough to be said.
    fn lost_link(&self, now_ms: i64) -> Option<i64> {
        self.facts.down_since_ms.filter(|since| now_ms.saturating_sub(*since) > LINK_LOST_AFTER_MS)
    }

    fn grace_is_over(&self, now_ms: i64) -> bool {
        now_ms.saturating_sub(self.facts.asked_ms) > REOPEN_GRACE_MS
    }
}

fn not_running(engine: Engine) -> Option<Why> {
    match engine {
        Engine::Running => None,
        Engine::Missing => Some(Why::Link),
        Engine::Failed => Some(Why::Engine),
    }
}

/// Whole seconds of a span; none of one that lies ahead.
fn seconds(span_ms: i64) -> u32 {
    u32::try_from(span_ms.max(0) / 1_000).unwrap_or(u32::MAX)
}

/// Seconds until an instant, rounded up; 0 once it has passed.
fn seconds_until(at_ms: Option<i64>, now_ms: i64) -> Option<u32> {
    at_ms.map(|at| seconds(at.saturating_sub(now_ms).saturating_add(999)))
}
