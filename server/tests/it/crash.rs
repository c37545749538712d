//! kill -9 under load: nothing that was acknowledged is lost, and everything derived still agrees.
//!
//! Method: this test binary starts itself as a child that drives cases round the loop on eight threads and prints
//! each acknowledged command; the child is killed after 5 to 500 ms. Then each printed command is sent again: it must
//! be known and be answered as it was. 20 cycles; with `GRIDHALL_LONG=1` 1,000.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::case::Step;
use domain::code::CaseId;
use domain::command::Command;
use rand::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use server::store::{Options, Store};
use server::writer::{self, Answer, Envelope, Writer};
use uuid::Uuid;

use crate::city::{self, DEPARTMENTS, report_case};
use crate::random::cells;

const CHILD_DIR: &str = "GRIDHALL_CRASH_CHILD_DIR";
const THREADS: u64 = 8;
/// Cycles on one store before the next begins, so that checking does not outgrow the cycles.
const CYCLES_PER_STORE: usize = 10;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Acknowledged {
    key: Uuid,
    command: Command,
    first_seq: u64,
    last_seq: u64,
    case: Option<CaseId>,
}

fn options() -> Options {
    Options { snapshot_every: 400, ..Options::default() }
}

/// Not a test of its own: what the child runs until it is killed.
#[test]
#[ignore = "run by crash tests as their child"]
fn child() {
    let dir = PathBuf::from(std::env::var(CHILD_DIR).expect("the parent names a folder"));
    let policy = city::policy();
    let (store, state) = Store::open_with(&dir, &policy, options()).unwrap();
    let writer = writer::spawn(store, state, Arc::new(policy), Box::new(()));
    let out = Arc::new(Mutex::new(std::io::stdout()));
    let threads: Vec<_> = (0..THREADS)
        .map(|_| {
            let (writer, out) = (writer.clone(), out.clone());
            std::thread::spawn(move || {
                loop {
                    one_case(&writer, &out);
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

/// Drives one case to its end.
fn one_case(writer: &Writer, out: &Mutex<std::io::Stdout>) {
    let case = say(writer, out, report_case()).case.unwrap();
    let note = "记".to_owned();
    let department = DEPARTMENTS[1].parse().unwrap();
    for command in [
        Command::ClaimCase { case },
        Step::ACCEPT.take(case),
        Step::FILE.take(case),
        Step::DISPATCH.take_for(case, department),
        Step::DISPOSE.take_with(case, &note),
        Step::FEEDBACK.take_with(case, &note),
        Step::CHECK.take_with(case, &note),
        Step::CLOSE.take_with(case, &note),
    ] {
        say(writer, out, command);
    }
}

/// Sends, and prints once it is acknowledged.
fn say(writer: &Writer, out: &Mutex<std::io::Stdout>, command: Command) -> Answer {
    let envelope = city::envelope(command.clone());
    let key = envelope.key;
    let answer = writer.send_many_blocking(vec![envelope]).pop().unwrap().unwrap();
    let (first_seq, last_seq, case) = (answer.first_seq, answer.last_seq, answer.case);
    let line = serde_json::to_string(&Acknowledged { key, command, first_seq, last_seq, case }).unwrap();
    // One write call, so that a kill leaves no half line followed by another.
    out.lock().unwrap().write_all(format!("\n{line}\n").as_bytes()).unwrap();
    answer
}

/// When a child is killed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kill {
    /// So long after its start: perhaps while it opens the store.
    AfterStart(Duration),
    /// So long after its first answer: while it writes.
    AfterAnswer(Duration),
}

/// Runs a child, kills it, and gives what it acknowledged.
fn cycle(dir: &Path, kill: Kill) -> Vec<Acknowledged> {
    let mut child = Process::new(std::env::current_exe().unwrap())
        .args(["crash::child", "--exact", "--ignored", "--nocapture", "--test-threads=1"])
        .env(CHILD_DIR, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap());
    let (tell, answered) = std::sync::mpsc::channel();
    let reading = std::thread::spawn(move || {
        let lines = lines.lines().map_while(Result::ok);
        let answers = lines.filter_map(|line| serde_json::from_str(&line).ok());
        answers.inspect(|_| _ = tell.send(())).collect::<Vec<Acknowledged>>()
    });
    match kill {
        Kill::AfterStart(lifetime) => std::thread::sleep(lifetime),
        Kill::AfterAnswer(lifetime) => {
            answered.recv_timeout(Duration::from_secs(120)).expect("the child acknowledges something");
            std::thread::sleep(lifetime);
        }
    }
    assert_eq!(child.try_wait().unwrap(), None, "the child ended before it was killed");
    child.kill().unwrap();
    child.wait().unwrap();
    reading.join().unwrap()
}

/// Opens the store and holds it against everything acknowledged on it. Gives its epoch.
fn verify(dir: &Path, acknowledged: &[Acknowledged]) -> u64 {
    let policy = city::policy();
    let (store, state) = Store::open_with(dir, &policy, options()).expect("the store opens after kill -9");
    let epoch = store.epoch();
    let reader = store.reader();
    assert_eq!(reader.recount().unwrap().cells, cells(&state), "tallies equal their recount");
    let head = state.seq;
    let writer = writer::spawn(store, state, Arc::new(policy.clone()), Box::new(()));
    let again: Vec<Envelope> = acknowledged
        .iter()
        .map(|done| Envelope {
            key: done.key,
            by: domain::event::By::named("tester"),
            department: None,
            seen: None,
            command: done.command.clone(),
        })
        .collect();
    for (done, outcome) in acknowledged.iter().zip(writer.send_many_blocking(again)) {
        let answer = outcome.unwrap_or_else(|error| panic!("{done:?} was acknowledged, now: {error}"));
        assert!(answer.replayed, "{done:?} was acknowledged and lost");
        assert_eq!(
            (answer.first_seq, answer.last_seq, answer.case),
            (done.first_seq, done.last_seq, done.case)
        );
        assert!(done.last_seq <= head);
    }
    writer.stop();
    let report = server::store::check::check(dir, &policy).unwrap();
    assert_eq!(report.problems, Vec::<String>::new());
    epoch
}

#[test]
fn kill_nine_under_load_loses_nothing_acknowledged() {
    let cycles = if crate::long::is_long() { 1_000 } else { 20 };
    let seed: u64 =
        std::env::var("GRIDHALL_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_121);
    let mut random = rand::rngs::StdRng::seed_from_u64(seed);
    let mut total = 0;
    let mut done = 0;
    while done < cycles {
        let dir = tempfile::tempdir().unwrap();
        let mut epoch = None;
        let mut all: Vec<Acknowledged> = Vec::new();
        for _ in 0..CYCLES_PER_STORE.min(cycles - done) {
            let lifetime = Duration::from_millis(random.random_range(5..=500));
            let kill =
                if done % 4 == 0 { Kill::AfterStart(lifetime) } else { Kill::AfterAnswer(lifetime / 2) };
            let acknowledged = cycle(dir.path(), kill);
            let found = verify(dir.path(), &acknowledged);
            assert_eq!(*epoch.get_or_insert(found), found, "the epoch stays (seed {seed}, cycle {done})");
            total += acknowledged.len();
            all.extend(acknowledged);
            done += 1;
        }
        verify(dir.path(), &all);
    }
    let summary = format!("{cycles} kills, {total} acknowledged commands, 0 lost\n");
    std::io::stderr().write_all(summary.as_bytes()).unwrap();
}

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
        std::fs::write(dir.path().join(server::store::DATABASE), first_format("format-1.db.gz")).unwrap();
        let mut acknowledged = Vec::new();
        for kill in 0..4 {
            let lifetime = Duration::from_millis(random.random_range(1..=150));
            acknowledged.extend(cycle(
                dir.path(),
                if kill % 2 == 0 { Kill::AfterStart(lifetime) } else { Kill::AfterAnswer(lifetime / 10) },
            ));
        }
        verify(dir.path(), &acknowledged);
        let (store, state) = Store::open_with(dir.path(), &city::policy(), options()).unwrap();
        let (reader, deadline) = (store.reader(), std::time::Instant::now() + Duration::from_secs(60));
        while server::log::sqlite::SqliteReader::open(dir.path()).unwrap().is_moving().unwrap() {
            assert!(std::time::Instant::now() < deadline, "the keeper moves every row");
            std::thread::sleep(Duration::from_millis(20));
        }
        let writer = writer::spawn(store, state, Arc::new(city::policy()), Box::new(()));
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
                key: serde_json::from_value(line["key"].clone()).unwrap(),
                by: domain::event::By::named(line["actor"].as_str().unwrap()),
                department: None,
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
        assert_eq!(
            server::store::check::check(dir.path(), &city::policy()).unwrap().problems,
            Vec::<String>::new()
        );
        let backup = tempfile::tempdir().unwrap();
        server::log::backup::backup(dir.path(), backup.path(), 0).expect("a moved store can be backed up");
    }
}
