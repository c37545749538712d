//! The processes that are killed: this test binary, started again with one task.
//!
//! What should be here: the tasks, what a child says, and how its parent hears it. What should not: when it is killed,
//! what must be true then.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::case::Step;
use domain::command::Command;
use domain::state::State;
use serde::{Deserialize, Serialize};
use server::clock::Clock;
use server::events::Newest;
use server::lists::Lists;
use server::views::{Builder, Doing, Settings};
use server::writer::store::Store;
use server::writer::{self, Answer, Committed, Publisher, Writer};

use super::proof::{Acknowledged, belongs, options, source};
use crate::city::{self, DEPARTMENTS, report_case};

const DIR: &str = "GRIDHALL_CRASH_CHILD_DIR";
const BACKUP: &str = "GRIDHALL_CRASH_CHILD_BACKUP";
const THREADS: u64 = 8;
/// So small that a build of a few thousand events has many ends at which it can be cut.
const PIECE_CASES: usize = 40;
const SEAL_CASES: usize = 64;
/// A child that says nothing for so long has a fault of its own.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a child says, one line each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Said {
    Answered(Box<Acknowledged>),
    /// Closed cases are being laid out.
    Building,
    /// They are laid out whole.
    Whole,
    BackupBegun,
    /// A backup is called good, up to this event.
    BackupDone(u64),
}

impl Said {
    pub fn is_answer(&self) -> bool {
        matches!(self, Self::Answered(_))
    }

    pub fn answer(self) -> Option<Acknowledged> {
        if let Self::Answered(done) = self { Some(*done) } else { None }
    }
}

/// What a child is to do until it is killed.
pub enum Task<'a> {
    /// Cases go round the loop on eight threads.
    Load { dir: &'a Path },
    /// The same, while closed cases are laid out.
    LoadAndViews { dir: &'a Path },
    /// One backup beside it.
    Backup { dir: &'a Path, to: &'a Path },
}

/// A running child and what it said so far.
pub struct Child {
    process: std::process::Child,
    heard: Receiver<Said>,
    said: Vec<Said>,
}

impl Child {
    pub fn start(task: &Task<'_>) -> Self {
        let mut process = Process::new(std::env::current_exe().unwrap());
        let name = match task {
            Task::Load { dir } => {
                process.env(DIR, dir);
                "crash::child::load"
            }
            Task::LoadAndViews { dir } => {
                process.env(DIR, dir);
                "crash::child::load_and_views"
            }
            Task::Backup { dir, to } => {
                process.env(DIR, dir).env(BACKUP, to);
                "crash::child::backup"
            }
        };
        let arguments = [name, "--exact", "--ignored", "--nocapture", "--test-threads=1"];
        let mut process = process.args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let (tell, heard) = channel();
        std::thread::spawn(move || {
            let said = lines.map_while(Result::ok).filter_map(|line| serde_json::from_str(&line).ok());
            // The parent is gone when it does not listen; then there is nobody to tell.
            let _ = said.map(|said| tell.send(said).is_ok()).find(|heard| !heard);
        });
        Self { process, heard, said: Vec::new() }
    }

    /// Waits until it says such a thing.
    pub fn until(&mut self, is: impl Fn(&Said) -> bool) {
        loop {
            self.said.push(self.heard.recv_timeout(PATIENCE).expect("the child says it within its time"));
            if self.said.last().is_some_and(&is) {
                return;
            }
        }
    }

    /// What it has said so far.
    pub fn so_far(&mut self) -> &[Said] {
        self.said.extend(self.heard.try_iter());
        &self.said
    }

    /// Kills it, and gives all it ever said.
    pub fn kill(mut self) -> Vec<Said> {
        assert_eq!(self.process.try_wait().unwrap(), None, "the child ended before it was killed");
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.said.extend(self.heard.iter());
        self.said
    }

    /// As [`Self::kill`], where it may have come to its end; it must not have failed.
    pub fn kill_or_end(mut self) -> Vec<Said> {
        let _ = self.process.kill();
        let status = self.process.wait().unwrap();
        assert!(status.success() || status.code().is_none(), "the child failed: {status}");
        self.said.extend(self.heard.iter());
        self.said
    }

    /// Waits for its end, which must be a good one.
    pub fn end(mut self) -> Vec<Said> {
        assert!(self.process.wait().unwrap().success(), "the child failed");
        self.said.extend(self.heard.iter());
        self.said
    }
}

/// In one write call, so that a kill leaves no half line followed by another.
fn say(out: &Mutex<std::io::Stdout>, said: &Said) {
    let line = serde_json::to_string(said).unwrap();
    out.lock().unwrap().write_all(format!("\n{line}\n").as_bytes()).unwrap();
}

fn told(name: &str) -> PathBuf {
    PathBuf::from(std::env::var(name).expect("the parent names a folder"))
}

/// Not a test of its own: what a child runs until it is killed.
#[test]
#[ignore = "run by crash tests as their child"]
fn load() {
    let (store, state) = Store::open_with(&told(DIR), &city::policy(), options()).unwrap();
    let writer = writer::spawn_with(store, state, Box::new(()), Clock::machine());
    round_and_round(&writer, &Arc::new(Mutex::new(std::io::stdout())));
}

/// Lists learn of everything, as in a running hall.
struct ToLists(Lists);

impl Publisher for ToLists {
    fn start(&mut self, _: u64, state: &State, _: Option<Newest>) {
        self.0.start(state);
    }

    fn publish(&mut self, _: &State, committed: &[Committed]) {
        self.0.publish(committed);
    }
}

/// A writer whose closed cases are laid out by a thread beside it.
pub fn with_views(dir: &Path) -> (Writer, Lists) {
    let policy = city::policy();
    let (store, state) = Store::open_with(dir, &policy, options()).unwrap();
    let lists = Lists::new(policy.utc_offset_minutes);
    let (epoch, source) = (store.epoch(), source(&store.reader(), store.epoch()));
    let writer = writer::spawn_with(store, state, Box::new(ToLists(lists.clone())), Clock::machine());
    let settings = Settings {
        piece_cases: PIECE_CASES,
        seal_cases: SEAL_CASES,
        // The load itself makes commits slow; a build that waits for them would hardly be hit at work.
        ..Settings::new(dir.to_owned(), belongs(epoch), Box::new(source), Arc::new(|| None), Clock::machine())
    };
    lists.serve(Builder::start(settings, lists.present()).unwrap());
    (writer, lists)
}

/// Not a test of its own: what a child runs until it is killed.
#[test]
#[ignore = "run by crash tests as their child"]
fn load_and_views() {
    let out = Arc::new(Mutex::new(std::io::stdout()));
    let (writer, lists) = with_views(&told(DIR));
    let tell = out.clone();
    std::thread::spawn(move || {
        let mut before = None;
        loop {
            let progress = lists.progress().unwrap();
            let now = match &progress.doing {
                Doing::Whole => Some(Said::Whole),
                Doing::Building | Doing::HeldUp if progress.since.is_some() => Some(Said::Building),
                Doing::Building | Doing::HeldUp => None,
                Doing::NoRoom | Doing::Reserved { .. } | Doing::Failed { .. } => {
                    panic!("{}", progress.words())
                }
            };
            if let Some(now) = now.filter(|now| before.as_ref() != Some(now)) {
                say(&tell, &now);
                before = Some(now);
            }
            std::thread::sleep(Duration::from_micros(500));
        }
    });
    round_and_round(&writer, &out);
}

/// Not a test of its own: what a child runs until it is killed.
#[test]
#[ignore = "run by crash tests as their child"]
fn backup() {
    let out = Mutex::new(std::io::stdout());
    say(&out, &Said::BackupBegun);
    let made = server::log::backup::backup(&told(DIR), &told(BACKUP), 0).unwrap();
    say(&out, &Said::BackupDone(made.list.head.seq));
}

fn round_and_round(writer: &Writer, out: &Arc<Mutex<std::io::Stdout>>) {
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
    let case = send(writer, out, report_case()).case.unwrap();
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
        send(writer, out, command);
    }
}

/// Sends, and says so once it is acknowledged.
fn send(writer: &Writer, out: &Mutex<std::io::Stdout>, command: Command) -> Answer {
    let envelope = city::envelope(command.clone());
    let key = envelope.key;
    let answer = writer.send_many_blocking(vec![envelope]).pop().unwrap().unwrap();
    let (first_seq, last_seq, case) = (answer.first_seq, answer.last_seq, answer.case);
    say(out, &Said::Answered(Box::new(Acknowledged { key, command, first_seq, last_seq, case })));
    answer
}

/// Makes a store that has seen so many cases to their end, cleanly closed.
pub fn fill(dir: &Path, cases: usize) {
    let (store, state) = Store::open_with(dir, &city::policy(), options()).unwrap();
    let writer = writer::spawn_with(store, state, Box::new(()), Clock::machine());
    let all = |commands: Vec<Command>| -> Vec<Answer> {
        let envelopes = commands.into_iter().map(city::envelope).collect();
        writer.send_many_blocking(envelopes).into_iter().map(Result::unwrap).collect()
    };
    let made = all((0..cases).map(|_| report_case()).collect());
    let ids: Vec<_> = made.iter().map(|answer| answer.case.unwrap()).collect();
    let department: domain::code::DepartmentCode = DEPARTMENTS[1].parse().unwrap();
    all(ids.iter().map(|id| Step::ACCEPT.take(*id)).collect());
    all(ids.iter().map(|id| Step::FILE.take(*id)).collect());
    all(ids.iter().map(|id| Step::DISPATCH.take_for(*id, department.clone())).collect());
    for step in [Step::DISPOSE, Step::FEEDBACK, Step::CHECK, Step::CLOSE] {
        all(ids.iter().map(|id| step.take_with(*id, "记")).collect());
    }
    writer.stop();
}
