//! The server reads the time in one file: what a hall goes by is handed on, so that another hall may go by another.

use super::tree::Tree;
use super::{check, is_rust};

/// The one file that reads clocks.
const CLOCK: &str = "server/src/clock.rs";
/// Who starts something, and takes the machine's clock for it. Everybody else is given one.
const STARTS: &[&str] = &[
    "server/src/serve.rs",
    "server/src/cli.rs",
    "server/src/cli/account.rs",
    "server/src/cli/cameras.rs",
    "server/src/cli/keeping.rs",
    "server/src/cli/policy.rs",
    "server/src/import/sink.rs",
];
/// Who limits a rate by `governor`, which measures by a clock of its own: how long, never when.
const LIMITS: &[&str] = &["server/src/video/origin/dial.rs", "server/src/video/page/socket.rs"];
const LIMITERS: &[&str] = &[concat!("Quanta", "Clock"), concat!("DefaultDirect", "RateLimiter")];
/// What tells the time without being asked for a clock. Needles are written in two halves, as in `tidy.rs`.
const READS: &[&str] = &[
    concat!("System", "Time"),
    concat!("Instant::", "now"),
    concat!("Timestamp::", "now"),
    concat!("Zoned::", "now"),
    concat!("Utc", "::now"),
    concat!("now", "_v7"),
    concat!("now", "_v1"),
];

fn offence(path: &str, line: &str) -> Option<String> {
    if line.trim_start().starts_with("//") {
        return None;
    }
    if let Some(read) = READS.iter().find(|read| line.contains(**read)) {
        return Some(format!(
            "`{read}` reads the time; ask the hall's `Clock`, or `clock::instant` for how long"
        ));
    }
    if let Some(limiter) = LIMITERS.iter().find(|limiter| line.contains(**limiter) && !LIMITS.contains(&path))
    {
        return Some(format!("`{limiter}` goes by a clock of its own; say here why it may"));
    }
    let takes = line.contains(concat!("Clock::", "machine")) && !STARTS.contains(&path);
    takes.then(|| "takes the machine's clock instead of the hall's".to_owned())
}

/// Whoever has one of these measures with it, which is reading too. A list of names may run over lines.
fn foreign_instants(text: &str) -> Vec<usize> {
    let names_it =
        |names: &str| names.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "Instant");
    let mut found = Vec::new();
    for room in ["std::time::", "tokio::time::"] {
        for (at, _) in text.match_indices(room) {
            let begins = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
            if text[begins..at].trim_start().starts_with("//") {
                continue;
            }
            let rest = &text[at + room.len()..];
            let end = if rest.starts_with('{') { rest.find('}') } else { rest.find('\n') };
            if names_it(&rest[..end.unwrap_or(rest.len())]) {
                found.push(text[..at].lines().count().max(1));
            }
        }
    }
    found
}

fn product(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default()
}

#[test]
fn one_file_of_the_server_reads_the_time() {
    let plants = [
        "use std::time::{Duration, Instant};",
        "    let began = tokio::time::Instant::from_std(at);",
        concat!("    let now = std::time::System", "Time::now();"),
        concat!("    let now = jiff::Timestamp::", "now();"),
        concat!("    let clock = Clock::", "machine();"),
        concat!("    let key = row.key.unwrap_or_else(Uuid::now", "_v7);"),
        concat!("use governor::clock::{Clock, Quanta", "Clock};"),
        "use std::time::{\n    Duration,\n    Instant,\n};",
    ];
    for plant in plants {
        check(&Tree::planted(&[("server/src/http/hall.rs", plant)]), |tree| {
            let files = tree.texts().filter(|(path, _)| {
                let is_test = path.ends_with("/tests.rs") || path.contains("/tests/");
                is_rust(path) && path.starts_with("server/src/") && *path != CLOCK && !is_test
            });
            let mut offences = Vec::new();
            for (path, text) in files {
                offences.extend(foreign_instants(product(text)).into_iter().map(|line| {
                    format!("{path}:{line}: an `Instant` that is not `clock::Instant` reads the time")
                }));
                for (at, line) in product(text).lines().enumerate() {
                    offences.extend(offence(path, line).map(|what| format!("{path}:{}: {what}", at + 1)));
                }
            }
            offences
        });
    }
}

#[test]
fn every_file_that_may_take_the_machines_clock_does() {
    let tree = Tree::of_repository();
    let takes =
        |path: &&&str| !tree.text(path).is_some_and(|text| text.contains(concat!("Clock::", "machine")));
    assert_eq!(STARTS.iter().find(takes), None, "no file of this name takes a clock");
}

#[test]
fn every_file_that_may_limit_by_a_clock_of_its_own_does() {
    let tree = Tree::of_repository();
    let limits = |path: &&&str| {
        !tree.text(path).is_some_and(|text| LIMITERS.iter().any(|limiter| text.contains(*limiter)))
    };
    assert_eq!(LIMITS.iter().find(limits), None, "no file of this name limits a rate");
}
