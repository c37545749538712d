//! kill -9 while a store of the first format is moved to the second.

use std::path::Path;
use std::time::Duration;

use domain::code::CaseId;
use rand::{Rng, SeedableRng};
use server::clock::Clock;
use server::writer::store::Store;
use server::writer::{self, Envelope};

use super::child::{Child, Said, Task};
use super::proof::{options, verify};
use crate::city;

/// A file of the fixtures of the first format, unpacked.
fn first_format(name: &str) -> Vec<u8> {
    use std::io::Read;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_end(&mut bytes).unwrap();
    bytes
}

/// Method: a server on a store of the first format is killed again and again while it brings the file up to date, moves its rows
/// and takes commands; then one is left to come to its end. Every name and every key must be where it belongs.
#[test]
fn kill_nine_while_a_store_of_the_first_format_is_moved_loses_nothing() {
    let stores = if crate::long::is_long() { 40 } else { 4 };
    let mut random = rand::rngs::StdRng::seed_from_u64(20_261_126);
    for _ in 0..stores {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(server::folder::DATABASE), first_format("format-1.db.gz")).unwrap();
        let mut acknowledged = Vec::new();
        for kill in 0..4 {
            let lifetime = Duration::from_millis(random.random_range(1..=150));
            let mut child = Child::start(&Task::Load { dir: dir.path() });
            if kill % 2 == 1 {
                child.until(Said::is_answer);
            }
            std::thread::sleep(if kill % 2 == 1 { lifetime / 10 } else { lifetime });
            acknowledged.extend(child.kill().into_iter().filter_map(Said::answer));
        }
        verify(dir.path(), &acknowledged, u64::MAX);
        let (store, state) = Store::open_with(dir.path(), &city::policy(), options()).unwrap();
        let (reader, deadline) = (store.reader(), std::time::Instant::now() + Duration::from_secs(60));
        while server::log::sqlite::SqliteReader::open(dir.path()).unwrap().is_moving().unwrap() {
            assert!(std::time::Instant::now() < deadline, "the keeper moves every row");
            std::thread::sleep(Duration::from_millis(20));
        }
        let writer = writer::spawn_with(store, state, Box::new(()), Clock::machine());
        for line in String::from_utf8(first_format("format-1.commands.jsonl.gz")).unwrap().lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let (command, answer) = (&line["command"], &line["answer"]);
            let report = if command["report_case"].is_null() {
                &command["take_over_case"]
            } else {
                &command["report_case"]
            };
            if let Some(reporter) = report["report"]["reporter"].as_str() {
                let case = CaseId(answer["case"].as_u64().unwrap());
                assert_eq!(reader.reporter(case).unwrap().as_deref(), Some(reporter));
            }
            if command == "pass_deadlines" {
                continue;
            }
            let envelope = Envelope {
                world: server::world::Live,
                key: serde_json::from_value(line["key"].clone()).unwrap(),
                by: domain::event::By::named(line["actor"].as_str().unwrap()),
                department: None,
                scope: domain::scope::Scope::All,
                seen: None,
                command: serde_json::from_value(command.clone()).unwrap(),
            };
            let again = writer.send_many_blocking(vec![envelope]).pop().unwrap();
            let again = again.unwrap_or_else(|error| panic!("{line}: {error}"));
            assert!(again.replayed, "{line}");
            assert_eq!(serde_json::json!(again.first_seq), answer["first_seq"], "{line}");
            assert_eq!(serde_json::json!(again.number), answer["number"], "{line}");
        }
        writer.stop();
        assert_eq!(server::check::check(dir.path(), &city::policy()).unwrap().problems, Vec::<String>::new());
        let backup = tempfile::tempdir().unwrap();
        server::log::backup::backup(dir.path(), backup.path(), 0).expect("a moved store can be backed up");
    }
}
