//! The inspectors nearest to a spot, with distance and the age of their fix. Rewritten every two seconds.

use domain::moment::{SECOND_MS, UtcMillis};
use domain::place::Point;
use leptos::prelude::*;
use send_wrapper::SendWrapper;

use super::{Seen, use_people};
use crate::hall::use_hall;
use crate::names::use_names;
use crate::once::memo;
use crate::words::{Language, say};

const EVERY_MS: i64 = 2 * SECOND_MS;

/// Someone near a spot.
#[derive(Debug, Clone, PartialEq)]
pub struct Nearby {
    pub index: u32,
    /// The inspector's code; empty while it is being asked for.
    pub code: String,
    pub distance_m: f64,
    pub fixed: UtcMillis,
    pub moving: bool,
    /// The position is out of date.
    pub stale: bool,
}

/// At most `count` people within `within_m` metres of the spot, nearest first. Empty without a spot.
pub fn follow(spot: Memo<Option<Point>>, within_m: f64, count: usize) -> Memo<Vec<Nearby>> {
    let (hall, names, who) = (use_hall(), use_names(), super::who::use_who());
    let feed = SendWrapper::new(use_people());
    let tick = memo(move || hall.now().0.div_euclid(EVERY_MS));
    memo(move || {
        // Read, not only tracked: a memo that nobody has read does not follow its own sources.
        tick.get();
        let Some(spot) = spot.get() else { return Vec::new() };
        let stale_ms = names.with(|names| i64::from(names.policy.position_stale_seconds)) * SECOND_MS;
        let now = hall.present();
        let near = |seen: Seen| Nearby {
            index: seen.index,
            code: who.code(seen.index).unwrap_or_default(),
            distance_m: seen.place.near_distance_m(spot),
            fixed: seen.fixed,
            moving: seen.moving,
            stale: stale_ms > 0 && now.since(seen.fixed) > stale_ms,
        };
        feed.nearest(spot, within_m, count).into_iter().map(near).collect()
    })
}

/// `12 秒前`, `6 分前`
pub fn age_words(language: Language, fixed: UtcMillis, now: UtcMillis) -> String {
    let seconds = now.since(fixed).max(0) / SECOND_MS;
    match seconds {
        ..60 => say!(language, people.seconds_ago, count = seconds),
        60..3_600 => say!(language, people.minutes_ago, count = seconds / 60),
        _ => say!(language, people.hours_ago, count = seconds / 3_600),
    }
}

/// Whether someone walks, stands, or is not known to be there any more.
pub fn state_word(language: Language, stale: bool, moving: bool) -> String {
    match (stale, moving) {
        (true, _) => say!(language, people.stale),
        (false, true) => say!(language, people.walking),
        (false, false) => say!(language, people.standing),
    }
}
