//! The rows of the list: fetched once per question, then kept current by the feed without moving under the hand.
//!
//! What should be here: fetching pages, what has arrived or gone since. What should not: how a row looks (`row`).

use domain::answer::{PageAnswer, PolicyFigures};
use domain::code::CaseId;
use domain::moment::{Date, UtcMillis};
use domain::wire::CaseLine;
use leptos::prelude::*;

use super::filters::Filters;
use crate::api::ApiError;
use crate::ask::Asker;
use crate::board::{Board, Part, use_board};
use crate::hall::{Hall, use_hall};
use crate::names::{Called, use_names};
use crate::once::{effect, memo};
use crate::order::{self, Sorted};
use crate::work::clock::{Lamp, lamp};
use crate::work::hand::keep_hand;

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
    /// Where each case stands: its group, and its row in that.
    places: Memo<Sorted<CaseId, (usize, usize)>>,
    /// The newest word of the feed on listed cases that are open no more.
    closed: Memo<Sorted<CaseId, CaseLine>>,
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
        let (hall, board) = (use_hall(), use_board());
        let groups = RwSignal::new(Vec::new());
        let places = memo(move || groups.with(|groups: &Vec<Group>| places_of(groups)));
        let listing = Self {
            groups,
            places,
            closed: closed(places, board),
            fetch: RwSignal::new(Fetch::Asking),
            next: RwSignal::new(None),
            total: RwSignal::new(None),
            cut: RwSignal::new(Cut::default()),
            filters,
            fetched_at: RwSignal::new(hall.present()),
            asks: Asker::new(),
            board,
            hall,
            names: use_names(),
        };
        effect(move || {
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
        // A case that moved while pages were read comes twice; a row is one case.
        let come = Sorted::of(page.items.iter().map(|line| (line.id, ())));
        rows.retain(|row| !come.has(&row.id));
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

    /// Tracked: the group and the row of a case.
    pub fn place(self, id: CaseId) -> Option<(usize, usize)> {
        self.places.with(|places| places.get(&id).copied())
    }

    /// Tracked: a case as it was listed.
    pub fn line(self, id: CaseId) -> Option<CaseLine> {
        let (group, row) = self.place(id)?;
        self.groups.with(|groups| groups.get(group)?.rows.get(row).filter(|line| line.id == id).cloned())
    }

    /// Tracked: how a row's case stands now, in the words it was listed with. A case that the feed has closed is known by
    /// its closing event.
    pub fn current(self, row: &CaseLine) -> CaseLine {
        self.newer(row).unwrap_or_else(|| row.clone())
    }

    /// Tracked: the same where it has changed since it was listed.
    fn newer(self, row: &CaseLine) -> Option<CaseLine> {
        let open = self.board.with(Part::Cases, |held| {
            let open = held.open.get(row.id.0)?;
            Some((open.version > row.version).then(|| open.with_words(Some(row))))
        });
        open.unwrap_or_else(|| {
            let newer = |closed: &Sorted<_, CaseLine>| {
                closed.get(&row.id).filter(|line| line.version > row.version).cloned()
            };
            self.closed.with(newer)
        })
    }

    /// Tracked.
    pub fn aside(self) -> Aside {
        let filters = self.filters.get();
        let gone = self.groups.with(|groups| {
            let rows = groups.iter().flat_map(|group| &group.rows);
            rows.filter(|row| self.has_gone(row, &filters)).count()
        });
        let since = self.fetched_at.get();
        let arrived = self.board.with(Part::Events, |held| {
            let recent = held.events.iter().rev().take_while(|event| event.at >= since);
            let lines = recent.filter_map(|event| event.case.as_ref());
            // The newest first: of several lines of a case that one counts.
            let (mut met, mut arrived) = (Sorted::default(), 0);
            self.places.with(|shown| {
                for line in lines.filter(|line| !shown.has(&line.id)) {
                    if !met.has(&line.id) {
                        met.put(line.id, ());
                        arrived += usize::from(filters.fits(line));
                    }
                }
            });
            arrived
        });
        Aside { arrived, gone }
    }

    /// Tracked: whether a row's case no longer belongs here.
    pub fn has_gone(self, row: &CaseLine, filters: &Filters) -> bool {
        self.newer(row).is_some_and(|now| filters.fits(row) && !filters.fits(&now))
    }
}

fn places_of(groups: &[Group]) -> Sorted<CaseId, (usize, usize)> {
    let of_group = |(at, group): (usize, &Group)| {
        let ids: Vec<CaseId> = group.rows.iter().map(|row| row.id).collect();
        ids.into_iter().enumerate().map(move |(row, id)| (id, (at, row)))
    };
    Sorted::of(groups.iter().enumerate().flat_map(of_group))
}

/// One pass over the events for all rows.
fn closed(places: Memo<Sorted<CaseId, (usize, usize)>>, board: Board) -> Memo<Sorted<CaseId, CaseLine>> {
    memo(move || {
        places.with(|places| {
            board.with(Part::Events, |held| {
                let lines = held.events.iter().filter_map(|event| event.case.as_ref());
                let listed = lines.filter(|line| places.has(&line.id) && held.open.get(line.id.0).is_none());
                let last = Sorted::last_of(listed.map(|line| (line.id, line)));
                Sorted::of(last.iter().map(|(id, line)| (*id, (*line).clone())))
            })
        })
    })
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
