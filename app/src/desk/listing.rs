//! The rows of the list: fetched once per question, then kept current by the feed without moving under the hand.
//!
//! What should be here: fetching pages, what has arrived or gone since. What should not: how a row looks (`row`).

use domain::answer::{PageAnswer, PolicyFigures};
use domain::code::CaseId;
use domain::moment::{Date, UtcMillis};
use domain::wire::CaseLine;
use leptos::prelude::*;

use super::clock::{Lamp, lamp};
use super::filters::Filters;
use super::keys::keep_hand;
use crate::api::ApiError;
use crate::ask::Asker;
use crate::board::{Board, Part, use_board};
use crate::hall::{Hall, use_hall};
use crate::names::{Called, use_names};
use crate::order::{self, Sorted};

const PAGE: usize = 200;

/// Whether the question has its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetch {
    Asking,
    There,
    Failed(ApiError),
}

/// Rows under their lamp, as they stood when they were fetched.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    pub lamp: Lamp,
    pub rows: Vec<CaseLine>,
}

#[derive(Clone, Copy)]
pub struct Listing {
    pub groups: RwSignal<Vec<Group>>,
    pub fetch: RwSignal<Fetch>,
    /// Cursor of the page after the last one fetched.
    pub next: RwSignal<Option<String>>,
    /// How many cases the filters find, as far as the server has counted.
    pub total: RwSignal<Option<u64>>,
    /// What keeps the rows from being all there are, where something does.
    pub cut: RwSignal<Cut>,
    filters: Memo<Filters>,
    /// When the rows were asked for.
    pub fetched_at: RwSignal<UtcMillis>,
    asks: Asker,
    board: Board,
    hall: Hall,
    names: Called,
}

/// Why a list may miss cases: the time for the answer was over, or older ones are still being laid out at the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cut {
    pub searched_to: Option<Date>,
    pub laid_out_percent: Option<u8>,
}

/// What the list does not show yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Aside {
    pub arrived: usize,
    pub gone: usize,
}

impl Listing {
    pub fn new(filters: Memo<Filters>) -> Self {
        let hall = use_hall();
        let listing = Self {
            groups: RwSignal::new(Vec::new()),
            fetch: RwSignal::new(Fetch::Asking),
            next: RwSignal::new(None),
            total: RwSignal::new(None),
            cut: RwSignal::new(Cut::default()),
            filters,
            fetched_at: RwSignal::new(hall.present()),
            asks: Asker::new(),
            board: use_board(),
            hall,
            names: use_names(),
        };
        Effect::new(move |_| {
            filters.track();
            // Lamps need the policy; the catalogue comes once.
            if listing.names.loaded() {
                untrack(|| listing.refresh());
            }
        });
        listing
    }

    /// Asks anew: what has arrived comes in, what has gone goes.
    pub fn refresh(self) {
        let other = |filters: &Filters| filters.is_empty() || filters.lists_calls();
        if self.filters.with_untracked(other) {
            return;
        }
        self.fetch.set(Fetch::Asking);
        self.ask(None);
    }

    pub fn more(self) {
        if let Some(cursor) = self.next.get_untracked() {
            self.ask(Some(cursor));
        }
    }

    fn ask(self, cursor: Option<String>) {
        let filters = self.filters.get_untracked();
        let sort = if filters.is_newest_first() { "newest" } else { "due" };
        let encode = |text: &str| String::from(js_sys::encode_uri_component(text));
        let mut path = format!("/api/v1/cases?limit={PAGE}&{}", filters.with("sort", sort).query(encode));
        path += &cursor
            .as_ref()
            .map_or_else(|| "&count=true".to_owned(), |cursor| format!("&cursor={}", encode(cursor)));
        let asked_at = self.hall.present();
        self.asks.ask(path, move |answer| match answer {
            Ok(page) => self.take(page, cursor.is_some(), asked_at),
            Err(error) => drop(self.fetch.try_set(Fetch::Failed(error))),
        });
    }

    fn take(self, page: PageAnswer<CaseLine>, further: bool, asked_at: UtcMillis) {
        let mut rows = if further { self.rows() } else { Vec::new() };
        rows.extend(page.items);
        let newest = self.filters.with_untracked(Filters::is_newest_first);
        let now = self.hall.present();
        let groups = untrack(|| self.names.with(|names| group(rows, newest, now, &names.policy)));
        keep_hand(|| drop(self.groups.try_set(groups)));
        self.next.try_set(page.next);
        self.cut.try_set(Cut { searched_to: page.searched_to, laid_out_percent: page.laid_out_percent });
        if !further {
            self.total.try_set(page.total);
            self.fetched_at.try_set(asked_at);
        }
        self.fetch.try_set(Fetch::There);
    }

    fn rows(self) -> Vec<CaseLine> {
        self.groups.with_untracked(|groups| groups.iter().flat_map(|group| group.rows.clone()).collect())
    }

    /// Tracked: the cases in the order in which they stand.
    pub fn order(self) -> Vec<CaseId> {
        self.groups
            .with(|groups| groups.iter().flat_map(|group| group.rows.iter().map(|row| row.id)).collect())
    }

    /// Tracked: how a row's case stands now, in the words it was listed with. A case that the feed has closed is known by
    /// its closing event.
    pub fn current(self, row: &CaseLine) -> CaseLine {
        let held = self.board.with(Part::Cases, |held| match held.open.get(row.id.0) {
            Some(open) => (open.version > row.version).then(|| open.with_words(Some(row))),
            None => {
                let lines = held.events.iter().rev().filter_map(|event| event.case.as_ref());
                let last = lines.into_iter().find(|line| line.id == row.id);
                last.filter(|line| line.version > row.version).cloned()
            }
        });
        held.unwrap_or_else(|| row.clone())
    }

    /// Tracked.
    pub fn aside(self) -> Aside {
        let filters = self.filters.get();
        let (shown, gone) = self.groups.with(|groups| {
            let rows = || groups.iter().flat_map(|group| &group.rows);
            let gone = rows().filter(|row| self.has_gone(row, &filters)).count();
            (Sorted::of(rows().map(|row| (row.id, ()))), gone)
        });
        let since = self.fetched_at.get();
        let arrived = self.board.with(Part::Events, |held| {
            let recent = held.events.iter().rev().take_while(|event| event.at >= since);
            let lines = recent.filter_map(|event| event.case.as_ref());
            // The newest first: of several lines of a case that one counts.
            let (mut met, mut arrived) = (Sorted::default(), 0);
            for line in lines.filter(|line| !shown.has(&line.id)) {
                if !met.has(&line.id) {
                    met.put(line.id, ());
                    arrived += usize::from(filters.fits(line));
                }
            }
            arrived
        });
        Aside { arrived, gone }
    }

    /// Tracked: whether a row's case no longer belongs here.
    pub fn has_gone(self, row: &CaseLine, filters: &Filters) -> bool {
        let now = self.current(row);
        now.version > row.version && filters.fits(row) && !filters.fits(&now)
    }
}

/// Groups by lamp. Within one the earliest deadline comes first, unless the newest were asked for.
fn group(rows: Vec<CaseLine>, newest: bool, now: UtcMillis, policy: &PolicyFigures) -> Vec<Group> {
    let mut groups: Vec<Group> = Lamp::ALL.into_iter().map(|lamp| Group { lamp, rows: Vec::new() }).collect();
    for row in rows {
        let lamp = lamp(&row, now, policy);
        if let Some(group) = groups.iter_mut().find(|group| group.lamp == lamp) {
            group.rows.push(row);
        }
    }
    groups.retain(|group| !group.rows.is_empty());
    if !newest {
        for group in &mut groups {
            order::sort_by_key(&mut group.rows, |row| (row.due.is_none(), row.due, row.id));
        }
    }
    groups
}
