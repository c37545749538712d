//! Work is counted, not timed: it must not grow with the history.

use super::*;

/// Pieces and bytes of the dearest first page over a history of so many cases, and of the dearest count.
fn dearest(cases: u64) -> [Vec<(String, Cost)>; 2] {
    let dir = tempfile::tempdir().unwrap();
    let mut layout = Layout::open(dir.path(), BELONGS, u64::MAX).unwrap().layout;
    lay_out(&mut layout, &history(cases), 10_000);
    merge(&mut layout);
    let pool = pool(&layout);
    let (mut pages, mut counts) = (Vec::new(), Vec::new());
    for (name, filter, scope) in questions() {
        let (_, cost) = page(&layout, &pool, (&filter, &scope), u64::MAX, 100).unwrap();
        pages.push((name.clone(), cost));
        let (_, cost) = count(&layout, &pool, (&filter, &scope)).unwrap();
        counts.push((name, cost));
    }
    [pages, counts]
}

/// A first page reads the newest chunks and no others, unless what is asked for lies further back or nowhere: then a few
/// bytes a case, and nothing where a dictionary knows.
#[test]
fn no_filter_scope_or_text_costs_what_the_history_is_long() {
    let long = 60_000;
    let [small, _] = dearest(20_000);
    let [large, counts] = dearest(long);
    for ((name, before), (_, after)) in small.iter().zip(&large) {
        let sparse = [
            "in an area",
            "dispatched",
            "filed",
            "reported and closed",
            "number",
            "digits",
            "much",
            "text in",
        ];
        let allowed = if sparse.iter().any(|part| name.contains(part)) {
            before.bytes + long * 12
        } else {
            before.bytes * 2 + 150_000
        };
        assert!(after.bytes <= allowed, "{name}: {before:?} before, {after:?} after");
    }
    for (name, cost) in &large {
        if ["no class", "no area", "in no time", "nothing", "nowhere"].iter().any(|part| name.contains(part))
        {
            assert!(cost.bytes < 3_000 && cost.bodies == 0, "{name}: {cost:?}");
        }
    }
    for (name, cost) in &counts {
        // 8 M cases at this rate stay within what one answer may read.
        let text = ["characters", "letters", "house", "digits", "number", "text in"];
        let allowed = if text.iter().any(|part| name.contains(part)) { u64::MAX } else { long * 6 + 300_000 };
        assert!(cost.bytes <= allowed, "{name}: {cost:?}");
    }
}
