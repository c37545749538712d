//! The card of one inspector: state, time of the fix, where, and how far from the spot that matters.

use domain::moment::{SECOND_MS, UtcMillis};
use domain::place::Point;

use super::{Feed, Seen, Who, age_words, state_word};
use crate::figure::Evidence;
use crate::names::Called;
use crate::text;
use crate::words::{Language, say};

/// The card of somebody who was listed and whose position has gone meanwhile.
pub fn gone(language: Language, code: &str) -> Evidence {
    Evidence {
        title: say!(language, people.inspector, code = code),
        source: say!(language, people.source),
        ..Evidence::default()
    }
    .part(say!(language, people.state), say!(language, people.gone))
}

/// None when nobody has this number any more.
pub fn card(
    language: Language,
    names: Called,
    who: Who,
    feed: &Feed,
    index: u32,
    spot: Option<Point>,
    now: UtcMillis,
) -> Option<Evidence> {
    let Seen { place, fixed, moving, .. } = feed.one(index)?;
    let policy = |names: &crate::names::Names| {
        (names.policy.utc_offset_minutes, i64::from(names.policy.position_stale_seconds) * SECOND_MS)
    };
    let (offset, stale_ms) = names.with(policy);
    let code = who.code(index).unwrap_or_else(|| format!("#{index}"));
    let evidence = Evidence {
        title: say!(language, people.inspector, code = code),
        source: say!(language, people.source),
        ..Evidence::default()
    }
    .stood(now, names);
    let time = format!("{}  {}", text::clock(fixed, offset), age_words(language, fixed, now));
    let evidence = evidence
        .part(say!(language, people.state), state_word(language, now.since(fixed) > stale_ms, moving))
        .part(say!(language, people.fixed), time)
        .part(
            say!(language, people.coordinates),
            format!("{}, {}", text::fixed(place.lat(), 5), text::fixed(place.lon(), 5)),
        );
    Some(match spot {
        Some(spot) => {
            let metres = format!("{} m", text::grouped(place.near_distance_m(spot).round() as i64));
            evidence.part(say!(language, people.distance), metres)
        }
        None => evidence,
    })
}
