//! What stands behind a comparison with the usual. What should not be here: which days those are (`text::usual`).

use crate::figure::Evidence;
use crate::text::{self, Against, Usual};
use crate::words::{Language, say};

/// Says what a count is held against, and the band of those days where they differ; that it is not known, where it is not.
pub fn by_usual(language: Language, evidence: Evidence, against: Against, usual: Option<Usual>) -> Evidence {
    let name = match against {
        Against::Weekdays(days) => say!(language, wall.weekday_reference, days = days),
        Against::Yesterday => say!(language, wall.yesterday_by_now),
        Against::Nothing => say!(language, wall.usual),
    };
    let Some(usual) = usual else { return evidence.part(name, "–") };
    let evidence = evidence.part(name, text::grouped(usual.middle));
    if usual.low == usual.high {
        return evidence;
    }
    let band = format!("{} – {}", text::grouped(usual.low), text::grouped(usual.high));
    evidence.part(say!(language, wall.usual_band), band)
}
