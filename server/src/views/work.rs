//! The views' thread: lays down what was closed, gathers it into runs, and builds what is missing from the newest month
//! downward, at idle priority and with long breaths.
//!
//! What should be here: what comes when, and what becomes of failures. What should not: what is written (`layout`).

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use domain::case::Case;
use domain::code::CaseId;
use domain::whistle::Whistle;

use super::builder::Settings;
use super::file::{self, Belongs, ViewsError};
use super::layout::{Begun, Layout};
use super::pace::Pace;
use super::pool::{Pool, Written};
use super::progress::{Doing, Progress};
use super::reserve::Wanted;
use crate::clock::{self, Instant};
use crate::lists::Present;

mod build;
mod way;

#[cfg(test)]
pub(crate) use way::NOT_ENOUGH_AFTER;

/// How often closed cases are laid down.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Events that a start waits for, so that what was closed just before a crash is in its lists at once.
const CATCH_UP_EVENTS: u64 = 20_000;
/// Cases of one transaction.
const APPEND_CASES: usize = 1_000;
/// Events after which the stretch is noted although nothing was closed within.
const NOTE_EVENTS: u64 = 20_000;
/// Closed cases in memory from which on they are laid down without consideration: an import closes thousands a second,
/// and memory has room for some.
const HURRY_CASES: usize = 20_000;
/// Pause after a failure.
const TRY_AGAIN: Duration = Duration::from_secs(30);
/// What `nice` calls the lowest priority.
const LOWEST: i32 = 19;

/// What the thread holds.
pub(crate) struct Work {
    settings: Settings,
    present: Arc<Present>,
    stop: Arc<AtomicBool>,
    suspect: Arc<AtomicBool>,
    progress: Arc<ArcSwap<Progress>>,
    layout: Layout,
    pool: Arc<Pool>,
    pace: Pace,
    /// The last event whose closings are laid down at the top.
    appended: u64,
    /// Cases that became runs which are not published yet, with the event that closed them.
    sealed: BTreeMap<CaseId, u64>,
    /// An older version serves until this one is whole.
    frozen: Option<u32>,
    looked: Instant,
    /// Since when the event log is refused for room.
    refused: Option<Instant>,
    /// The file was removed to make way for the log.
    is_gone: bool,
}

fn pool_of(layout: &Layout) -> Arc<Pool> {
    Arc::new(Pool::new(layout.path().to_owned(), Written::Meanwhile))
}

impl Work {
    pub(crate) fn open(
        settings: Settings,
        present: Arc<Present>,
        stop: Arc<AtomicBool>,
        suspect: Arc<AtomicBool>,
        progress: Arc<ArcSwap<Progress>>,
    ) -> Result<Self, ViewsError> {
        let stand = present.load();
        // What was closed since the lists know the state is laid down first of all.
        let since = stand.recent.iter().map(|case| case.version);
        let since = since.chain(stand.recent.whistles.iter().map(|whistle| whistle.version)).min();
        let seq = since.map_or(stand.seq, |first| first - 1);
        let Begun { layout, tail, .. } = Layout::open(&settings.dir, settings.belongs, seq)?;
        let layout = layout.keeping_free(settings.reserve.clone());
        let pool = pool_of(&layout);
        let pace = if settings.full_speed {
            Pace::full()
        } else {
            let said = progress.clone();
            let held_up = move |now| say(&said, if now { Doing::HeldUp } else { Doing::Building });
            let waiting = present.clone();
            Pace::new(settings.gauge.clone(), stop.clone(), Box::new(held_up))
                .unless(move || waiting.load().recent.len() > HURRY_CASES)
        };
        let mut work = Self {
            settings,
            present,
            stop,
            suspect,
            progress,
            layout,
            pool,
            pace,
            appended: seq,
            sealed: BTreeMap::new(),
            frozen: None,
            looked: clock::instant(),
            refused: None,
            is_gone: false,
        };
        // What a kill has left out at the top alone is little, and caught up with.
        let covered = work.layout.covered();
        let far = |(low, high): (u64, u64)| {
            high < seq || work.layout.runs().is_empty() || covered.gap(low).is_some()
        };
        if covered.gap(seq).is_some_and(far) {
            work.freeze_older(seq, &tail);
        }
        work.layout.cover(seq, seq)?;
        work.present.change(|stand| {
            let open: BTreeSet<CaseId> = stand.open.iter().map(|case| case.id).collect();
            stand.begin_with(tail.into_iter().filter(|case| !open.contains(&case.id)).collect());
        });
        work.publish(&[]);
        work.say_progress();
        Ok(work)
    }

    #[cfg(test)]
    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.layout.path().to_owned()
    }

    /// Serves the newest older version that this one can read, until its own is whole. `tail` is laid down in this one
    /// already.
    fn freeze_older(&mut self, head: u64, tail: &[Arc<Case>]) {
        for version in self.settings.reads_older.clone() {
            let belongs = Belongs { version, ..self.settings.belongs };
            if !self.settings.dir.join(file::name(version)).exists() {
                continue;
            }
            match file::open_frozen(&self.settings.dir, belongs, head, Written::Meanwhile) {
                Ok(mut frozen) => {
                    let known: BTreeSet<CaseId> = tail.iter().map(|case| case.id).collect();
                    frozen.tail.retain(|case| !known.contains(&case.id));
                    // The build lays them out with their stretch: they are no news, and go from memory when it is whole.
                    self.sealed.extend(frozen.tail.iter().map(|case| (case.id, case.version)));
                    tracing::info!(
                        version,
                        "views of an older version serve while the new ones are laid out"
                    );
                    self.frozen = Some(version);
                    let runs = Arc::new(frozen.runs);
                    let whole = frozen.covered.gap(head).is_none();
                    self.present.change(|stand| {
                        (stand.runs, stand.pool) = (runs, Some(frozen.pool));
                        stand.begin_with(frozen.tail);
                        stand.whole = whole;
                    });
                    return;
                }
                Err(error) => {
                    tracing::warn!(version, error = %error, "views of an older version cannot be read")
                }
            }
        }
    }

    /// Lays out what was closed after the views were last written, where that is little.
    pub(crate) fn catch_up(&mut self) -> Result<(), ViewsError> {
        let seq = self.appended;
        let Some((low, high)) = self.layout.covered().gap(seq) else { return Ok(()) };
        if high == seq && low > 0 && high - low <= CATCH_UP_EVENTS {
            self.build()?;
        }
        Ok(())
    }

    pub(super) fn run(&mut self) {
        if let Err(error) = rustix::process::nice(LOWEST) {
            tracing::debug!(%error, "views are laid out at ordinary priority");
        }
        while !self.stop.load(Ordering::Relaxed) {
            self.make_way(clock::instant());
            match self.round() {
                Ok(true) => {}
                Ok(false) => std::thread::park_timeout(LOOK_EVERY),
                Err(error) => self.after(&error),
            }
        }
        if let Err(error) = self.absorb(true) {
            tracing::warn!(%error, "what was closed last is laid down after the next start");
        }
    }

    /// One look at everything there is to do. Returns whether there may be more at once.
    pub(crate) fn round(&mut self) -> Result<bool, ViewsError> {
        if self.suspect.swap(false, Ordering::Relaxed) {
            return Err(ViewsError::damaged(self.layout.path(), "a reader found it so"));
        }
        self.come_back()?;
        self.absorb(false)?;
        // Without more room than the reserve nothing is missing for want of larger runs.
        if self.layout.expect_room(Wanted::Bulk).is_ok() {
            self.seal()?;
            let month = self.settings.clock.now().local(self.settings.belongs.offset).date.number() / 100;
            if self.layout.merge(month, &mut self.pace)? {
                self.publish(&[]);
                return Ok(true);
            }
        }
        self.layout.sweep(&mut self.pace)?;
        let built = self.build()?;
        self.say_progress();
        Ok(built)
    }

    /// Lays down what was closed since the last time.
    pub(crate) fn absorb(&mut self, all: bool) -> Result<(), ViewsError> {
        self.looked = clock::instant();
        if self.is_gone {
            return Ok(());
        }
        let stand = self.present.load();
        let cases: Vec<Arc<Case>> =
            stand.recent.iter().filter(|case| case.version > self.appended).cloned().collect();
        let whistles: Vec<Arc<Whistle>> =
            stand.recent.whistles.iter().filter(|whistle| whistle.version > self.appended).cloned().collect();
        let quiet = cases.is_empty() && whistles.is_empty();
        if stand.seq == self.appended || (quiet && !all && stand.seq < self.appended + NOTE_EVENTS) {
            return Ok(());
        }
        let mut parts = cases.chunks(APPEND_CASES).peekable();
        while let Some(part) = parts.next() {
            let to = parts.peek().and_then(|_| part.last()).map_or(stand.seq, |last| last.version);
            let of: Vec<Arc<Whistle>> = whistles
                .iter()
                .filter(|whistle| whistle.version > self.appended && whistle.version <= to)
                .cloned()
                .collect();
            self.layout.append(part, &of, (self.appended, to))?;
            self.appended = to;
        }
        if self.appended < stand.seq {
            self.layout.append(&[], &whistles, (self.appended, stand.seq))?;
            self.appended = stand.seq;
        }
        if self.frozen.is_none() && !whistles.is_empty() {
            let appended = self.appended;
            self.present.change(|stand| {
                Arc::make_mut(&mut stand.recent.whistles).retain(|whistle| whistle.version > appended);
            });
        }
        Ok(())
    }

    /// Makes a run of what is laid down, where that is enough. While an older version serves nobody reads it: a restart
    /// finds what was closed since then among the rows that are in no run yet.
    pub(crate) fn seal(&mut self) -> Result<(), ViewsError> {
        if self.frozen.is_some() {
            return Ok(());
        }
        let stand = self.present.load();
        let ready: Vec<&Arc<Case>> = stand
            .recent
            .iter()
            .filter(|case| case.version <= self.appended && self.sealed.get(&case.id) != Some(&case.version))
            .collect();
        if ready.len() < self.settings.seal_cases {
            return Ok(());
        }
        let mut ids: Vec<CaseId> = ready.iter().map(|case| case.id).collect();
        ids.sort_unstable();
        self.layout.seal(&ids, &BTreeSet::new(), None, &mut self.pace)?;
        self.sealed.extend(ready.iter().map(|case| (case.id, case.version)));
        self.publish(&[]);
        Ok(())
    }

    /// Gives readers the runs as they are now. `older` are cases of an older stretch: memory may have a newer word.
    fn publish(&mut self, older: &[CaseId]) {
        let whole = self.layout.covered().gap(self.appended).is_none();
        if self.frozen.is_some() && !whole {
            return;
        }
        let thawed = self.frozen.take();
        let runs = Arc::new(self.layout.runs().to_vec());
        let sealed = std::mem::take(&mut self.sealed);
        let (pool, appended) = (self.pool.clone(), self.appended);
        self.present.change(|stand| {
            stand.runs = runs;
            stand.pool = Some(pool);
            stand.whole = whole;
            stand.settled(&sealed);
            stand.mask_known(older);
            if thawed.is_some() {
                Arc::make_mut(&mut stand.recent.whistles).retain(|whistle| whistle.version > appended);
            }
        });
        if let Some(version) = thawed {
            tracing::info!(version, "the new views are whole; those of the older version are removed");
            let older = self.settings.dir.join(file::name(version));
            if let Err(error) = file::remove(&older) {
                tracing::warn!(%error, "older views not removed");
            }
        }
    }

    /// What becomes of a failure: nothing is lost, lists go on with what is there.
    fn after(&mut self, error: &ViewsError) {
        if error.is_damaged() {
            tracing::warn!(%error, "views are laid out anew");
            if let Err(error) = self.start_over() {
                self.fail(&error);
            }
            return;
        }
        self.fail(error);
    }

    fn fail(&mut self, error: &ViewsError) {
        tracing::warn!(%error, "views not laid out further; tried again in {} s", TRY_AGAIN.as_secs());
        self.tell(error);
        let until = clock::instant() + TRY_AGAIN;
        while clock::instant() < until && !self.stop.load(Ordering::Relaxed) {
            std::thread::park_timeout(LOOK_EVERY);
            self.make_way(clock::instant());
        }
    }

    /// Throws the file away. What memory has of closed cases goes into the new one first; the log has the rest.
    pub(crate) fn start_over(&mut self) -> Result<(), ViewsError> {
        file::remove(self.layout.path())?;
        let stand = self.present.load();
        let Begun { layout, .. } = Layout::open(&self.settings.dir, self.settings.belongs, stand.seq)?;
        self.layout = layout.keeping_free(self.settings.reserve.clone());
        self.pool = pool_of(&self.layout);
        self.is_gone = false;
        self.sealed.clear();
        // Memory has every closing after this one.
        let cases = stand.recent.iter().map(|case| case.version);
        let whistles = stand.recent.whistles.iter().map(|whistle| whistle.version);
        self.appended = cases.chain(whistles).min().map_or(stand.seq, |first| first - 1);
        self.layout.cover(self.appended, self.appended)?;
        self.publish(&[]);
        Ok(())
    }

    fn begin_progress(&self) {
        let since = Some(self.progress.load().since.unwrap_or_else(|| self.settings.clock.now()));
        self.progress.rcu(|now| Progress { doing: Doing::Building, since, ..Progress::clone(now) });
    }

    fn say_progress(&self) {
        let covered = self.layout.covered();
        let whole = covered.gap(self.appended).is_none();
        let heads: Vec<&super::run::RunHead> = self.layout.runs().iter().map(|run| &run.head).collect();
        let (events, events_of) = (covered.events(self.appended), self.appended);
        let months = super::run::months(&heads).len() as u32;
        let before = self.progress.load();
        let since = if whole { None } else { before.since };
        let doing = if whole { Doing::Whole } else { Doing::Building };
        let serving_older = self.frozen;
        if whole && !before.is_whole() {
            tracing::info!(events, months, "closed cases are laid out whole");
        }
        metrics::gauge!("gridhall_views_events").set(events as f64);
        metrics::gauge!("gridhall_views_events_of").set(events_of as f64);
        self.progress.store(Arc::new(Progress { doing, months, events, events_of, since, serving_older }));
    }
}

fn say(progress: &ArcSwap<Progress>, doing: Doing) {
    progress.rcu(|now| Progress { doing: doing.clone(), ..Progress::clone(now) });
}
