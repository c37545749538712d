//! A million open deadlines: how late they fire, what they weigh, and how long a start takes with them after a crash.
//!
//! An open case that waits for dispatch has two deadlines, the forecast and the limit. Half a million such cases are
//! taken over with limits weeks ahead; some thousands run out while it is measured. A process of its own does that
//! and ends without closing the store, as after a power cut; the start is measured in another.

use std::io::Write;
use std::path::Path;
use std::process::{Command as Program, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use domain::case::Stage;
use domain::clock::{Alarm, Limit, LimitKind};
use domain::code::CaseId;
use domain::command::{Command, History};
use domain::event::{By, DeadlineEvent, Event};
use domain::moment::{DAY_MS, UtcMillis};
use domain::policy::Policy;
use domain::state::State;
use server::clock::Clock;
use server::events::Newest;
use server::writer::store::Store;
use server::writer::{self, Committed, Envelope, GROUP_COMMANDS_MAX, Publisher, Writer};
use uuid::Uuid;

use super::{Row, at_most, plain, report};

/// First argument of the process that fills and fires.
pub const FILL: &str = "--fill";
/// The limit: cases are taken over as if opened that long before they are due.
const LIMIT_DAYS: u32 = 60;
/// Limits of the cases that only wait lie between these.
const FAR_DAYS: std::ops::Range<usize> = 2..58;
/// Cases whose limit runs out while nothing else happens, and then while commands come.
const FIRED: usize = 4_000;
const FIRING: Duration = Duration::from_secs(10);
/// From the last case taken over to the first limit that runs out.
const LEAD: Duration = Duration::from_secs(3);
/// Who sends commands in the second half, and how long each waits between two: 512 a second, thirty times what a whole
/// city's centre sees at its busiest.
const SENDERS: usize = 64;
const SEND_EVERY: Duration = Duration::from_millis(125);
const LOAD_PER_SECOND: f64 = 512.0;
/// Longest wait for the last deadlines.
const LATE_MAX: Duration = Duration::from_secs(30);

pub fn measure(folder: &Path, deadlines: usize) -> anyhow::Result<Vec<Row>> {
    let filling = Program::new(std::env::current_exe()?)
        .args([FILL, &folder.display().to_string(), &deadlines.to_string()])
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start the process that fills the store")?;
    ensure!(filling.status.success(), "the process that fills the store failed");
    let mut rows: Vec<Row> =
        serde_json::from_slice(&filling.stdout).context("the filling process did not print rows")?;
    let policy = with_limit()?;
    let began = Instant::now();
    let (store, state) = Store::open(folder, &policy)?;
    let start = began.elapsed().as_secs_f64();
    ensure!(state.deadlines.len() >= deadlines, "only {} deadlines were there", state.deadlines.len());
    let before = resident()?;
    let again = state.deadlines.clone();
    let weight = (resident()? - before).max(0.0) / 1e6;
    drop(again);
    let rebuilding = Instant::now();
    let rebuilt: std::collections::BTreeSet<_> = state.deadlines.iter().cloned().collect();
    let rebuild = rebuilding.elapsed().as_secs_f64();
    ensure!(rebuilt == state.deadlines, "the rebuilt set differs");
    drop(store);
    rows.push(plain("the same: the ordered set alone, built", rebuild, "s"));
    rows.push(at_most("the same: memory of the ordered set", weight, "MB", 200.0));
    rows.push(at_most("the same: start of the store after a crash", start, "s", 3.0));
    Ok(rows)
}

fn with_limit() -> anyhow::Result<Policy> {
    let mut policy = super::policy()?;
    policy.dispatch_limit = Limit::new(LIMIT_DAYS, LimitKind::URGENT_DAY);
    Ok(policy)
}

/// How late each limit was recorded, durable and published, in milliseconds.
#[derive(Clone, Default)]
struct Lateness(Arc<Mutex<Vec<f64>>>);

impl Publisher for Lateness {
    fn start(&mut self, _: u64, _: &State, _: Option<Newest>) {}

    fn publish(&mut self, _: &State, committed: &[Committed]) {
        let now = Clock::machine().now();
        let late = committed.iter().filter_map(|committed| {
            let Event::Deadline(DeadlineEvent { alarm: Alarm::Due, due, .. }) = &committed.recorded.event
            else {
                return None;
            };
            Some(now.since(*due) as f64)
        });
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(late);
    }
}

impl Lateness {
    fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn take(&self) -> Vec<f64> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Fills the store, lets limits run out, prints rows, and ends as if killed.
pub fn fill(folder: &Path, deadlines: usize) -> anyhow::Result<()> {
    let policy = with_limit()?;
    let (store, state) = Store::open(folder, &policy)?;
    let policy = Arc::new(policy);
    let lateness = Lateness::default();
    let writer = writer::spawn_with(store, state, Box::new(lateness.clone()), Clock::machine());
    let began = Instant::now();
    // Two for each; those that will fire come on top.
    let waiting = deadlines.div_ceil(2);
    let (from, to) = (FAR_DAYS.start, FAR_DAYS.end);
    let start = Clock::machine().now();
    let far = (0..waiting).map(|number| {
        let days = from + number % (to - from);
        (number, start.plus(days as i64 * DAY_MS + number as i64))
    });
    take_over(&writer, &policy, far)?;
    let filled = began.elapsed().as_secs_f64();
    let mut rows = vec![plain(format!("{deadlines} open deadlines: cases taken over in"), filled, "s")];
    for (what, senders) in [("nothing else happens", 0), ("512 commands/s meanwhile", SENDERS)] {
        let (late, rate) = fire(&writer, &policy, &lateness, waiting, senders)?;
        if senders > 0 {
            rows.push(Row {
                target: Some(format!("{LOAD_PER_SECOND}, at least 98 % of it")),
                holds: Some(rate >= 0.98 * LOAD_PER_SECOND),
                ..plain("the same: commands carried out meanwhile", rate, "1/s")
            });
        }
        let at = |share: f64| late.get((late.len() as f64 * share) as usize).copied().unwrap_or(f64::NAN);
        rows.push(plain(format!("the same: fire error, {what}, p50"), at(0.5), "ms"));
        rows.push(at_most(format!("the same: fire error, {what}, p99"), at(0.99), "ms", 50.0));
    }
    std::io::stdout().write_all(serde_json::to_string(&rows)?.as_bytes())?;
    // Neither stopped nor closed: the log is as a crash leaves it.
    std::process::exit(0);
}

/// Takes cases over so that each has its limit at the time given with its number.
fn take_over(
    writer: &Writer,
    policy: &Policy,
    cases: impl Iterator<Item = (usize, UtcMillis)>,
) -> anyhow::Result<()> {
    let limit_ms = i64::from(LIMIT_DAYS) * DAY_MS;
    let envelopes = cases.map(|(number, due)| {
        let opened = due.plus(-limit_ms);
        let history = History::since(opened, Stage::Dispatch);
        let command = Command::TakeOverCase { report: report(policy, number), history };
        Envelope {
            world: server::world::Live,
            key: Uuid::now_v7(),
            by: By::named("bench"),
            department: None,
            scope: domain::scope::Scope::All,
            seen: None,
            command,
        }
    });
    let mut envelopes = envelopes.peekable();
    while envelopes.peek().is_some() {
        let group: Vec<Envelope> = envelopes.by_ref().take(8 * GROUP_COMMANDS_MAX).collect();
        for outcome in writer.send_many_blocking(group) {
            outcome.context("a case was not taken over")?;
        }
    }
    Ok(())
}

/// Lets [`FIRED`] limits run out, spread over [`FIRING`]; how late each was, in order, and the commands a second that
/// `senders` got carried out.
fn fire(
    writer: &Writer,
    policy: &Arc<Policy>,
    lateness: &Lateness,
    first: usize,
    senders: usize,
) -> anyhow::Result<(Vec<f64>, f64)> {
    lateness.take();
    let begin = Clock::machine().now().plus(i64::try_from(LEAD.as_millis())?);
    let step_us = FIRING.as_micros() as usize / FIRED;
    let near = (0..FIRED).map(|number| (first + number, begin.plus((number * step_us / 1_000) as i64)));
    take_over(writer, policy, near)?;
    ensure!(Clock::machine().now() < begin, "taking over {FIRED} cases took longer than {LEAD:?}");
    let ended = Arc::new(AtomicBool::new(false));
    let began = Instant::now();
    let sending: Vec<_> =
        (0..senders).map(|sender| notes(writer.clone(), ended.clone(), sender, first)).collect();
    let waiting = Instant::now();
    while lateness.count() < FIRED {
        ensure!(
            waiting.elapsed() < LEAD + FIRING + LATE_MAX,
            "{} of {FIRED} deadlines fired",
            lateness.count()
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    ended.store(true, Ordering::Relaxed);
    let length = began.elapsed().as_secs_f64();
    let mut sent = 0;
    for sender in sending {
        sent += sender.join().map_err(|_| anyhow::anyhow!("a sender panicked"))?;
    }
    let mut late = lateness.take();
    ensure!(late.len() == FIRED, "{} deadlines fired, expected {FIRED}", late.len());
    late.sort_by(f64::total_cmp);
    Ok((late, f64::from(sent) / length))
}

/// Notes on waiting cases, one each [`SEND_EVERY`]: each takes its case's deadlines out of the set and puts them back.
/// Gives how many were carried out.
fn notes(
    writer: Writer,
    ended: Arc<AtomicBool>,
    sender: usize,
    cases: usize,
) -> std::thread::JoinHandle<u32> {
    std::thread::spawn(move || {
        let first = Instant::now() + SEND_EVERY.mul_f64(sender as f64 / SENDERS as f64);
        let mut round = 0;
        let mut done = 0;
        while !ended.load(Ordering::Relaxed) {
            std::thread::sleep((first + SEND_EVERY * round).saturating_duration_since(Instant::now()));
            let number = round as usize * SENDERS + sender;
            let case = CaseId(1 + (number * 7_919 % cases) as u64);
            let command = Command::NoteCase { case, text: "已放置警示标志".to_owned() };
            let envelope = Envelope {
                world: server::world::Live,
                key: Uuid::now_v7(),
                by: By::named("bench"),
                department: None,
                scope: domain::scope::Scope::All,
                seen: None,
                command,
            };
            done += u32::from(writer.send_many_blocking(vec![envelope]).iter().all(Result::is_ok));
            round += 1;
        }
        done
    })
}

/// Bytes this process has in memory.
fn resident() -> anyhow::Result<f64> {
    let pages = std::fs::read_to_string("/proc/self/statm").context("cannot read /proc/self/statm")?;
    let pages = pages.split(' ').nth(1).and_then(|pages| pages.parse::<f64>().ok());
    Ok(pages.context("short /proc/self/statm")? * 4_096.0)
}
