//! Which room of the server names which: the truth names nothing derived from it, and nobody who asks.

use std::collections::BTreeSet;

use super::tree::Tree;
use super::{by_line, check, circles, is_rust};

/// A room, and the other rooms of the server that it may name. Rooms that are not listed may name any.
const MAY_NAME: &[(&str, &[&str])] = &[
    // What SQLite says went wrong.
    ("engine", &[]),
    // The truth: rows that it cannot read.
    ("log", &["cause", "clock", "engine", "lock"]),
    ("stored", &["log"]),
    ("folder", &["cause", "engine", "log", "stored"]),
    ("events", &["cause", "clock", "folder", "lock", "log", "stored", "turn"]),
    // Derived. A question to views has the shape that lists give it.
    ("views", &["clock", "engine", "events", "folder", "lists", "lock", "log", "stored"]),
    ("check", &["events", "folder", "log", "stored", "views"]),
];

/// Rooms that a file of the product names, its tests apart.
fn named(path: &str, text: &str) -> BTreeSet<String> {
    let product = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let paths = circles::paths(product).into_iter();
    paths.filter_map(|named| circles::module(path, &named).into_iter().next()).collect()
}

#[test]
fn the_truth_names_nothing_that_is_derived_from_it() {
    let planted = [
        ("server/src/log/a.rs", "//! x\nuse crate::{lock, views::Layout};\n"),
        ("server/src/views.rs", "//! x\npub struct Layout;\n"),
    ];
    check(&Tree::planted(&planted), |tree| {
        let mut offences = Vec::new();
        let rooms: BTreeSet<&str> = tree.paths().filter_map(room).collect();
        for (path, text) in tree.texts().filter(|(path, _)| is_rust(path) && !is_test(path)) {
            let Some(own) = room(path) else { continue };
            let Some((_, allowed)) = MAY_NAME.iter().find(|(room, _)| *room == own) else { continue };
            let foreign = |other: &&String| {
                *other != own && rooms.contains(other.as_str()) && !allowed.contains(&other.as_str())
            };
            let named = named(path, text);
            offences.extend(named.iter().filter(foreign).map(|other| format!("{path}: names `{other}`")));
        }
        offences
    });
}

#[test]
fn every_room_in_the_table_is_there() {
    let tree = Tree::of_repository();
    let rooms: BTreeSet<&str> = tree.paths().filter_map(room).collect();
    for (own, allowed) in MAY_NAME {
        assert!(rooms.contains(own), "there is no room `{own}`");
        for other in *allowed {
            assert!(rooms.contains(other), "`{own}` may name `{other}`, which is not there");
        }
    }
}

/// The room a file of the server is in: `server/src/log/row.rs` and `server/src/log.rs` are in `log`.
fn room(path: &str) -> Option<&str> {
    let inside = path.strip_prefix("server/src/")?;
    let end = inside.find(['/', '.']).unwrap_or(inside.len());
    Some(&inside[..end])
}

/// What a code of SQLite's means is read in one file: readings that are alike drift apart.
#[test]
fn what_sqlite_says_is_sorted_in_one_file() {
    let sorts = [concat!("Database", "Corrupt"), concat!("NotA", "Database"), concat!("Disk", "Full")];
    let planted =
        [("server/src/views/a.rs", concat!("//! x\nfn f() { Some(ErrorCode::Database", "Corrupt) }\n"))];
    check(&Tree::planted(&planted), |tree| {
        by_line(
            tree,
            |path| path.starts_with("server/src/") && is_rust(path) && path != "server/src/engine.rs",
            |line| {
                let found = sorts.iter().find(|code| line.contains(**code))?;
                Some(format!("`{found}`: ask `engine::Failure` what kind of failure it is"))
            },
        )
    });
}

fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/")
}
