//! A store with a history, written straight into log, snapshots and views by the programs that write them in a hall.
//!
//! What should be here: groups, the order in which rows, snapshots and runs are written, progress. What should not: what
//! happens in the city (`life`).

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Instant;

use anyhow::{Context, anyhow, ensure};
use domain::policy::Policy;
use domain::state::{Changes, State};
use server::log::sqlite::SqliteLog;
use server::log::{Group, Log, Read, shelf};
use server::stored;
use server::views::Belongs;
use server::views::fill::Filler;
use server::views::sql;
use sim::city::years::Span;

use super::life::Life;

/// Events of one synced group.
const GROUP_EVENTS: usize = 20_000;
/// Groups that wait for the log, and bites of closed cases that wait for the views.
const WAITING: usize = 4;
/// Closed cases and calls in a bite.
const BITE: usize = 2_000;
/// Cases between two lines of progress.
const SAY_EVERY: u64 = 250_000;

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filled {
    pub events: u64,
    pub closed: u64,
    pub open: u64,
}

/// What ended within a stretch of the log, for the views.
#[derive(Default)]
struct Bite {
    ended: Vec<(u64, Changes)>,
    /// The last event of a month that is over.
    month_ends: Option<u64>,
}

/// Makes a store in `dir`, which must hold none. `say` hears of progress.
pub fn fill(dir: &Path, policy: &Policy, span: Span, say: impl Fn(String)) -> anyhow::Result<Filled> {
    let log = SqliteLog::open(dir, false, None).context("cannot make the log")?;
    ensure!(log.head()?.seq == 0, "`{}` holds a store already", dir.display());
    let (epoch, offset) = (log.epoch(), span.offset);
    let mut life = Life::new(policy.clone(), span, log.secret())?;
    let (groups, for_log) = sync_channel(WAITING);
    let (bites, for_views) = sync_channel(WAITING);
    let filled = std::thread::scope(|scope| {
        let logging = scope.spawn(|| append_all(log, for_log));
        let laying =
            scope.spawn(|| lay_out(dir, Belongs { epoch, offset, version: sql::VERSION }, for_views));
        let lived = Writer { dir, epoch, span, groups, bites }.live(&mut life, say);
        // The channels are closed now, so that both come to an end; their word is nearer to the cause.
        let logged = logging.join().map_err(|_| anyhow!("the thread of the log panicked"));
        let laid = laying.join().map_err(|_| anyhow!("the thread of the views panicked"));
        logged??;
        laid??;
        lived
    })?;
    put_snapshot(dir, epoch, &life.state)?;
    Ok(filled)
}

fn append_all(mut log: SqliteLog, groups: Receiver<Group>) -> anyhow::Result<()> {
    for group in groups {
        log.append(&group).context("cannot append to the log")?;
    }
    log.close().context("cannot close the log")
}

fn lay_out(dir: &Path, belongs: Belongs, bites: Receiver<Bite>) -> anyhow::Result<()> {
    let mut filler = Filler::open(dir, belongs, 0).context("cannot make the views")?;
    for Bite { ended, month_ends } in bites {
        for (seq, changes) in ended {
            filler.note(seq, changes).context("cannot lay closed cases out")?;
        }
        if let Some(head) = month_ends {
            filler.finish(head).context("cannot finish a month of closed cases")?;
        }
    }
    Ok(())
}

/// A snapshot of the hall as it stands.
fn put_snapshot(dir: &Path, epoch: u64, state: &State) -> anyhow::Result<()> {
    shelf::put(dir, &stored::state::encode(epoch, state), day(state)).context("cannot write a snapshot")
}

/// The local day as 20261121.
fn day(state: &State) -> u32 {
    state.today.number().unsigned_abs()
}

/// Gathers rows into groups and bites and sends them on.
struct Writer<'a> {
    dir: &'a Path,
    epoch: u64,
    span: Span,
    groups: SyncSender<Group>,
    bites: SyncSender<Bite>,
}

impl Writer<'_> {
    fn live(self, life: &mut Life, say: impl Fn(String)) -> anyhow::Result<Filled> {
        let began = Instant::now();
        let mut filled = Filled::default();
        let (mut group, mut bite, mut month) = (Group::default(), Bite::default(), None);
        let mut kept = (0, day(&life.state));
        while let Some(done) = life.next()? {
            let (before, now) = (month, done.at.local(self.span.offset).date.number() / 100);
            month = Some(now);
            if before.is_some_and(|before| before != now) {
                bite.month_ends = Some(life.state.seq - done.events.len() as u64);
                self.lay_out(std::mem::take(&mut bite))?;
            }
            filled.events += done.events.len() as u64;
            if done.ended.as_ref().is_some_and(|(_, changes)| changes.case.is_some()) {
                filled.closed += 1;
                if filled.closed.is_multiple_of(SAY_EVERY) {
                    let rate = filled.events as f64 / began.elapsed().as_secs_f64();
                    say(format!(
                        "{} cases closed, {} events, {rate:.0} a second",
                        filled.closed, filled.events
                    ));
                }
            }
            bite.ended.extend(done.ended);
            group.persons.extend(done.person);
            group.commands.extend(done.command);
            group.events.extend(done.events);
            if group.events.len() >= GROUP_EVENTS {
                self.append(std::mem::take(&mut group))?;
            }
            if bite.ended.len() >= BITE {
                self.lay_out(std::mem::take(&mut bite))?;
            }
            let stands = (life.state.seq, day(&life.state));
            if stands.0 >= kept.0 + shelf::KEEP_EVERY || stands.1 != kept.1 {
                put_snapshot(self.dir, self.epoch, &life.state)?;
                kept = stands;
            }
        }
        self.append(group)?;
        bite.month_ends = Some(life.state.seq);
        self.lay_out(bite)?;
        filled.open = life.state.cases.len() as u64;
        Ok(filled)
    }

    fn append(&self, group: Group) -> anyhow::Result<()> {
        self.groups.send(group).context("the log takes no more")
    }

    fn lay_out(&self, bite: Bite) -> anyhow::Result<()> {
        self.bites.send(bite).context("the views take no more")
    }
}
