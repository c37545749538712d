//! Lists of cases and whistle calls: memory, what was closed lately, and views, behind one type.
//!
//! Every list is memory ∪ closed since ∪ views, and memory has the newer word. Every answer has a deadline, and every
//! method asks for whom: a [`Scope`] cannot be forgotten. What should not be here: HTTP, SQL, rules.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use domain::case::Case;
use domain::code::{CaseId, WhistleId};
use domain::moment::UtcOffset;
use domain::scope::Scope;
use domain::state::State;
use domain::whistle::Whistle;

use crate::clock;
use crate::turn::{Reading, Turns};
use crate::views::file::Frozen;
use crate::views::pool::Written;
use crate::views::{Belongs, Builder, Progress, ViewsError};
use crate::writer::Committed;

mod filter;
mod stand;
mod page;
mod past;
#[cfg(test)]
mod tests;

pub use filter::{
    AnyOf, Asked, CaseFilter, CaseSort, Cursor, FlowOn, Page, PhaseFilter, WhistleFilter, WrongCursor, due,
};
pub use past::Ceiling;
pub use stand::{OpenCases, Present, Recent, Stand};

/// How long one answer is looked for. What is found by then is given, with the place to go on from.
pub const ANSWER_TIME: Duration = Duration::from_millis(80);
/// How long is counted beyond the page. After that there is no total rather than a wrong one.
pub const COUNT_TIME: Duration = Duration::from_millis(250);
/// Most rows of one answer.
pub const ROWS_MAX: usize = 1_000;

/// Why a list was not answered.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    #[error(transparent)]
    Cursor(#[from] WrongCursor),
    #[error("too many lists are asked for at once; try again in a second")]
    Busy,
    #[error(transparent)]
    Views(#[from] ViewsError),
}

/// A page of cases and, where it was asked for and could be counted in time, how many there are.
#[derive(Debug)]
pub struct CasePage {
    pub page: Page<Arc<Case>>,
    pub total: Option<u64>,
}

/// Lists for everybody; cheap to clone.
#[derive(Clone)]
pub struct Lists {
    inner: Arc<Inner>,
}

struct Inner {
    present: Arc<Present>,
    offset: UtcOffset,
    builder: ArcSwapOption<Builder>,
    turns: Turns,
    /// Of lists of the past.
    past: Option<past::Past>,
}

impl Lists {
    #[must_use]
    pub fn new(offset: UtcOffset) -> Self {
        Self::over(offset, Arc::default(), None)
    }

    fn over(offset: UtcOffset, present: Arc<Present>, past: Option<past::Past>) -> Self {
        let (builder, turns) = (ArcSwapOption::empty(), Turns::default());
        Self { inner: Arc::new(Inner { present, offset, builder, turns, past }) }
    }

    /// What questions are answered from.
    fn stand(&self) -> Arc<Stand> {
        let own = self.inner.present.load();
        match &self.inner.past {
            None => own,
            Some(past) => Arc::new(past.stand(&own)),
        }
    }

    /// Lists over the folder of a stopped hall, from the views as they were left: nothing is laid out here, and where views are
    /// missing or not to be trusted, closed cases are not known.
    #[must_use]
    pub fn of_stopped(dir: &Path, epoch: u64, state: &State) -> Self {
        let offset = state.policy().utc_offset_minutes;
        let lists = Self::new(offset);
        let belongs = Belongs { epoch, offset, version: crate::views::sql::VERSION };
        let views = crate::views::file::open_frozen(dir, belongs, state.seq, Written::ByNobody);
        lists.inner.present.change(|stand| {
            if let Ok(Frozen { pool, runs, covered, tail }) = views {
                (stand.runs, stand.pool) = (Arc::new(runs), Some(pool));
                stand.begin_with(tail);
                stand.whole = covered.gap(state.seq).is_none();
            }
            stand.start(state);
        });
        lists
    }

    /// What the views' thread works on.
    #[must_use]
    pub fn present(&self) -> Arc<Present> {
        self.inner.present.clone()
    }

    /// Takes the views' thread, so that damage found while reading reaches it.
    pub fn serve(&self, builder: Builder) {
        self.inner.builder.store(Some(Arc::new(builder)));
    }

    /// Ends the views' thread; open cases are answered on.
    pub fn stop(&self) {
        self.inner.builder.store(None);
    }

    /// How far closed cases are laid out; none where there are no views at all.
    #[must_use]
    pub fn progress(&self) -> Option<Arc<Progress>> {
        if let Some(past) = &self.inner.past {
            return past.going_on().progress();
        }
        self.inner.builder.load().as_ref().map(|builder| builder.progress())
    }

    /// Everything open as the writer has it.
    pub fn start(&self, state: &State) {
        self.inner.present.change(|stand| stand.start(state));
    }

    /// What a group of commands changed.
    pub fn publish<W>(&self, committed: &[Committed<W>]) {
        self.inner.present.change(|stand| {
            committed.iter().for_each(|one| stand.note(one.recorded.seq, &one.changes));
        });
    }

    /// Runs a read on a thread that may block, when it is its turn.
    pub async fn run<T, F>(&self, reading: Reading, read: F) -> Result<T, ListError>
    where
        T: Send + 'static,
        F: FnOnce(&Self) -> Result<T, ListError> + Send + 'static,
    {
        let Some(_turn) = self.inner.turns.take(reading).await else { return Err(ListError::Busy) };
        let lists = self.clone();
        let read = tokio::task::spawn_blocking(move || read(&lists)).await;
        read.expect("reads do not panic, and their threads are not cancelled")
    }

    /// One page of cases. Start without a cursor, go on with the one of the last page.
    pub fn cases(
        &self,
        scope: &Scope,
        filter: &CaseFilter,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<Arc<Case>>, ListError> {
        let began = clock::instant();
        let stand = self.stand();
        let asked = Asked::new(filter, scope, self.inner.offset);
        let is_over = || began.elapsed() >= ANSWER_TIME;
        let page = page::cases(&stand, &asked, after, limit.clamp(1, ROWS_MAX), &is_over);
        self.told(page)
    }

    /// Every open case that may be seen.
    #[must_use]
    pub fn open(&self, scope: &Scope) -> Vec<Arc<Case>> {
        self.stand().open.iter().filter(|case| scope.admits_case(case)).cloned().collect()
    }

    /// Whether a case answers to all conditions and may be seen.
    #[must_use]
    pub fn answers(&self, scope: &Scope, filter: &CaseFilter, case: &Case) -> bool {
        Asked::new(filter, scope, self.inner.offset).admits(case)
    }

    /// How many cases there are; none when counting them takes too long.
    pub fn count(&self, scope: &Scope, filter: &CaseFilter) -> Result<Option<u64>, ListError> {
        let began = clock::instant();
        let stand = self.stand();
        let asked = Asked::new(filter, scope, self.inner.offset);
        self.told(page::count(&stand, &asked, &|| began.elapsed() >= COUNT_TIME))
    }

    /// One case, open or closed; none where there is none that the scope lets through, or its closing is not laid out
    /// yet ([`Self::reaches_all`]).
    pub fn case(&self, scope: &Scope, id: CaseId) -> Result<Option<Arc<Case>>, ListError> {
        let stand = self.stand();
        let case = self.told(page::case(&stand, id))?;
        Ok(case.filter(|case| scope.admits_case(case)))
    }

    /// The newest case with a number as it is read out on the floor.
    pub fn case_of_number(&self, scope: &Scope, number: &str) -> Result<Option<Arc<Case>>, ListError> {
        let stand = self.stand();
        let id = self.told(page::of_number(&stand, number))?;
        id.map_or(Ok(None), |id| self.case(scope, id))
    }

    /// Whether every closed case is laid out or in memory.
    #[must_use]
    pub fn reaches_all(&self) -> bool {
        self.stand().whole
    }

    /// Whistle calls, newest first.
    pub fn whistles(
        &self,
        scope: &Scope,
        filter: &WhistleFilter,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<Whistle>, ListError> {
        let began = clock::instant();
        let stand = self.stand();
        let asked = (filter, scope, self.inner.offset);
        let is_over = || began.elapsed() >= ANSWER_TIME;
        self.told(page::whistles(&stand, asked, after, limit.clamp(1, ROWS_MAX), &is_over))
    }

    /// One whistle call, open or closed.
    pub fn whistle(&self, scope: &Scope, id: WhistleId) -> Result<Option<Whistle>, ListError> {
        let stand = self.stand();
        let whistle = self.told(page::whistle(&stand, id))?;
        Ok(whistle.filter(|whistle| scope.admits_whistle(whistle)))
    }

    /// Passes an answer on; damage reaches the views' thread, which lays the file out anew.
    fn told<T>(&self, answer: Result<T, ListError>) -> Result<T, ListError> {
        if let Err(ListError::Views(error)) = &answer
            && error.is_damaged()
            && let Some(builder) = self.inner.builder.load().as_ref()
        {
            tracing::warn!(%error, "a list could not be read");
            builder.suspect();
        }
        answer
    }
}

impl std::fmt::Debug for Lists {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lists").finish_non_exhaustive()
    }
}
