//! What a screen keeps comes through the feed: no timer asks the API.

use super::tree::Tree;
use super::{by_line, check};

/// Files of the screens that may have a timer that comes again, and what for. Whatever a screen keeps comes through the
/// feed: a timer that asks the API makes five hundred screens ask it for ever.
const RECURRING: &[(&str, &str)] = &[
    ("app/src/hall.rs", "the clock on the screen"),
    ("app/src/live.rs", "looks for silence on the one connection"),
    (
        "app/src/page/pair.rs",
        "a wall that nobody has let in yet asks whether it has been; it can follow nothing",
    ),
];

#[test]
fn no_page_asks_the_api_by_a_timer() {
    let plants = [
        ("app/src/people/who.rs", "let again = Interval::new(3_000, load);"),
        ("scripts/list.js", "setInterval(() => fetch('/api/v1/cases'), 1000);"),
    ];
    for plant in plants {
        check(&Tree::planted(&[plant]), |tree| {
            let mut offences = by_line(
                tree,
                |path| path.starts_with("app/src/") && !RECURRING.iter().any(|(allowed, _)| *allowed == path),
                |line| {
                    let recurs = ["Interval::new(", "set_interval", "IntervalStream"];
                    let found = recurs.iter().find(|timer| line.contains(**timer))?;
                    Some(format!("`{found}`: what a screen keeps comes through the feed"))
                },
            );
            let scripts = tree.texts().filter(|(path, _)| path.starts_with("scripts/"));
            let asking = scripts.filter(|(_, text)| text.contains("setInterval(") && text.contains("fetch("));
            offences.extend(asking.map(|(path, _)| format!("{path}: a script with a timer asks the API")));
            for (path, text) in tree.texts() {
                // Those that are allowed one do not read with it.
                let reads = text.contains("api::get_json") || text.contains("api::get_bytes");
                if RECURRING.iter().any(|(allowed, _)| *allowed == path) && reads {
                    offences.push(format!("{path}: has a timer and reads the API"));
                }
            }
            offences
        });
    }
}
