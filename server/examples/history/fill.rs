//! A store with a history, written straight into log, snapshots and views by the programs that write them in a hall.
//!
//! What should be here: who works on what at one time, the order in which rows, snapshots and runs are written, progress.
//! What should not: what happens in the city (`life`), what becomes of it (`rows`).
//!
//! One thread decides and applies, one makes rows and writes them, one lays closed cases out, one keeps snapshots: each
//! hands on to the next, and none holds more than a few bites. The log gets its name when everything else is there.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Instant;

use anyhow::{Context, anyhow, ensure};
use domain::moment::UtcMillis;
use domain::policy::Policy;
use domain::state::{Changes, State};
use server::access::{self, Access};
use server::log::sqlite::file;
use server::log::sqlite::making::{Made, Making};
use server::log::{Group, shelf};
use server::stored;
use server::stored::policy::{self, Genesis};
use server::views::Belongs;
use server::views::fill::Filler;
use server::views::sql;
use sim::city::years::Span;

use super::life::{Done, Happened, Life};
use super::rows::Rows;

/// Events of one group.
const GROUP_EVENTS: usize = 10_000;
/// What waits for the next thread, of each kind.
const WAITING: usize = 3;
/// Cases between two lines of progress.
const SAY_EVERY: u64 = 250_000;

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filled {
    pub events: u64,
    pub closed: u64,
    pub open: u64,
}

/// A stretch of the log.
#[derive(Default)]
struct Stretch {
    done: Vec<Done>,
    events: usize,
    /// The last event of a month that is over.
    month_ends: Option<u64>,
}

/// What ended within a stretch of the log, for the views.
struct Bite {
    ended: Vec<(u64, Changes)>,
    month_ends: Option<u64>,
}

/// Makes a store in `dir`, which must hold none. `say` hears of progress.
pub fn fill(dir: &Path, policy: &Policy, span: Span, say: impl Fn(String)) -> anyhow::Result<Filled> {
    ensure!(!dir.join(file::DATABASE).exists(), "`{}` holds a store already", dir.display());
    let mut making = Making::begin(dir, None).context("cannot make the log")?;
    let genesis = policy::genesis_blob(&Genesis::of(policy));
    making.write(&Group { blobs: vec![genesis], ..Group::default() }).context("cannot write to the log")?;
    let (epoch, secret) = (making.epoch()?, making.secret()?);
    let rows = Rows::new(secret, span.until);
    let mut life = Life::new(policy.clone(), span)?;
    let (stretches, for_log) = sync_channel(WAITING);
    let (bites, for_views) = sync_channel(WAITING);
    let (states, for_shelf) = sync_channel(WAITING);
    let belongs = Belongs { epoch, offset: span.offset, version: sql::VERSION };
    let (filled, made) = std::thread::scope(|scope| {
        let logging = scope.spawn(|| write_all(making, &rows, for_log, bites));
        let laying = scope.spawn(|| lay_out(dir, belongs, for_views));
        let keeping = scope.spawn(|| keep(dir, epoch, for_shelf));
        let lived = City { span, stretches, states }.live(&mut life, say);
        // The channels are closed now, so that all come to an end; their word is nearer to the cause.
        let made = logging.join().map_err(|_| anyhow!("the thread of the log panicked"))?;
        laying.join().map_err(|_| anyhow!("the thread of the views panicked"))??;
        keeping.join().map_err(|_| anyhow!("the thread of the snapshots panicked"))??;
        let made = made?;
        anyhow::Ok((lived?, made))
    })?;
    put_snapshot(dir, epoch, life.state)?;
    make_accounts(dir, span.until)?;
    made.name().context("cannot name the log")?;
    Ok(filled)
}

/// The accounts of a first start: a hall with a history has some, and is refused without.
fn make_accounts(dir: &Path, at: UtcMillis) -> anyhow::Result<()> {
    let make = || Access::open(dir, access::Config::default())?.bootstrap(at).wait();
    // The caller's thread may serve others, which must not wait.
    let made = std::thread::scope(|scope| scope.spawn(make).join());
    made.map_err(|_| anyhow!("the thread of the accounts panicked"))?.context("cannot make the accounts")?;
    Ok(())
}

/// Makes rows of what happened, writes them, and hands on what ended.
fn write_all(
    mut making: Making,
    rows: &Rows,
    stretches: Receiver<Stretch>,
    bites: SyncSender<Bite>,
) -> anyhow::Result<Made> {
    for Stretch { done, month_ends, .. } in stretches {
        let mut group = Group::default();
        done.iter().try_for_each(|done| rows.put(done, &mut group))?;
        making.write(&group).context("cannot write to the log")?;
        let happened = done.into_iter().flat_map(|done| done.happened);
        let ended = happened.filter(Happened::ends_something);
        let ended = ended.map(|happened| (happened.recorded.seq, happened.changes)).collect();
        bites.send(Bite { ended, month_ends }).context("the views take no more")?;
    }
    making.finish().context("cannot close the log")
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

fn keep(dir: &Path, epoch: u64, states: Receiver<State>) -> anyhow::Result<()> {
    states.into_iter().try_for_each(|state| put_snapshot(dir, epoch, state))
}

/// A snapshot of the hall as it stands.
fn put_snapshot(dir: &Path, epoch: u64, state: State) -> anyhow::Result<()> {
    let day = day(&state);
    shelf::put(dir, &stored::state::encode(epoch, &state), day).context("cannot write a snapshot")
}

/// The local day as 20261121.
fn day(state: &State) -> u32 {
    state.today.number().unsigned_abs()
}

/// Lets the years pass and sends on what happens.
struct City {
    span: Span,
    stretches: SyncSender<Stretch>,
    states: SyncSender<State>,
}

impl City {
    fn live(self, life: &mut Life, say: impl Fn(String)) -> anyhow::Result<Filled> {
        let began = Instant::now();
        let mut filled = Filled::default();
        let (mut stretch, mut month) = (Stretch::default(), None);
        let mut kept = (0, day(&life.state));
        while let Some(done) = life.next()? {
            let now = done.at.local(self.span.offset).date.number() / 100;
            if month.replace(now).is_some_and(|before| before != now) {
                stretch.month_ends = Some(life.state.seq - done.happened.len() as u64);
                self.hand_on(&mut stretch)?;
            }
            filled.events += done.happened.len() as u64;
            if done.happened.iter().any(Happened::closes_a_case) {
                filled.closed += 1;
                if filled.closed.is_multiple_of(SAY_EVERY) {
                    let rate = filled.events as f64 / began.elapsed().as_secs_f64();
                    say(format!(
                        "{} cases closed, {} events, {rate:.0} a second",
                        filled.closed, filled.events
                    ));
                }
            }
            stretch.events += done.happened.len();
            stretch.done.push(done);
            if stretch.events >= GROUP_EVENTS {
                self.hand_on(&mut stretch)?;
            }
            let stands = (life.state.seq, day(&life.state));
            if stands.0 >= kept.0 + shelf::KEEP_EVERY || stands.1 != kept.1 {
                self.states.send(life.state.clone()).context("the shelf takes no more")?;
                kept = stands;
            }
        }
        stretch.month_ends = Some(life.state.seq);
        self.hand_on(&mut stretch)?;
        filled.open = life.state.cases.len() as u64;
        Ok(filled)
    }

    fn hand_on(&self, stretch: &mut Stretch) -> anyhow::Result<()> {
        self.stretches.send(std::mem::take(stretch)).context("the log takes no more")
    }
}
