//! The calls that are listed: those that are open, as the feed has them, or all that were raised in a period, fetched.
//!
//! What should be here: which calls, and whether they are there yet. What should not: how a call looks (`whistle`).

use domain::answer::PageAnswer;
use domain::feed::Held;
use domain::moment::{UtcMillis, UtcOffset};
use domain::whistle::Whistle;
use leptos::prelude::*;

use super::filters::Filters;
use super::listing::Fetch;
use super::whistle::missing_of;
use crate::api::ApiError;
use crate::ask::Asker;
use crate::board::{Board, Part, use_board};
use crate::hall::use_hall;
use crate::names::use_names;
use crate::once::{effect, memo};
use crate::order;
use crate::work::send::Sending;

#[derive(Clone, Copy)]
pub struct Calls {
    /// In their order.
    pub rows: Memo<Vec<Whistle>>,
    period: Period,
    board: Board,
}

/// The calls of a day or a month, as far as they have been read.
#[derive(Clone, Copy)]
struct Period {
    /// What the address asks for; without one the open calls are listed.
    raised: Memo<Option<String>>,
    /// What the calls belong to: those of another period are not shown.
    of: RwSignal<Option<String>>,
    fetch: RwSignal<Fetch>,
    calls: RwSignal<Vec<Whistle>>,
    asks: Asker,
}

impl Calls {
    pub fn new(filters: Memo<Filters>, sending: Sending) -> Self {
        let board = use_board();
        let raised = memo(move || {
            filters.with(|filters| Some(filters.get("raised")?.to_owned()).filter(|_| filters.lists_calls()))
        });
        let period = Period {
            raised,
            of: RwSignal::new(None),
            fetch: RwSignal::new(Fetch::Asking),
            calls: RwSignal::new(Vec::new()),
            asks: Asker::new(),
        };
        effect(move || {
            raised.track();
            sending.done.track();
            period.ask();
        });
        effect(move || {
            if board.knows(Part::Whistles) && board.with(Part::Whistles, |held| period.lost_one(held)) {
                period.ask();
            }
        });
        Self { rows: rows(filters, period, board), period, board }
    }

    /// Tracked: whether the list has its answer.
    pub fn fetch(self) -> Fetch {
        match self.period.raised.with(Option::is_some) {
            true if self.period.is_of_address() => self.period.fetch.get(),
            false if self.board.knows(Part::Whistles) => Fetch::There,
            true | false => Fetch::Asking,
        }
    }

    /// Asks anew for the calls of a period; open calls come by themselves.
    pub fn refresh(self) {
        self.period.ask();
    }
}

impl Period {
    /// Tracked: whether what is held belongs to the period the address asks for.
    fn is_of_address(self) -> bool {
        self.of.with(|of| self.raised.with(|raised| of == raised))
    }

    /// Calls of another period go at once, those of the same stay until the answer.
    fn ask(self) {
        let Some(raised) = self.raised.get_untracked() else { return self.asks.forget() };
        self.fetch.set(Fetch::Asking);
        if !untrack(|| self.is_of_address()) {
            self.calls.set(Vec::new());
            self.of.set(Some(raised.clone()));
        }
        self.read(raised, Vec::new(), None, 1);
    }

    /// Reads on from a cursor: what has been read so far is shown once it is whole.
    fn read(self, raised: String, so_far: Vec<Whistle>, cursor: Option<String>, page: usize) {
        let encode = |text: &str| String::from(js_sys::encode_uri_component(text));
        let mut path = format!("/api/v1/whistles?limit=500&raised={}", encode(&raised));
        if let Some(cursor) = cursor {
            path += &format!("&cursor={}", encode(&cursor));
        }
        let mut so_far = Some(so_far);
        self.asks.ask(path, move |answer: Result<PageAnswer<Whistle>, ApiError>| match answer {
            Ok(answer) => {
                let mut calls = so_far.take().unwrap_or_default();
                calls.extend(answer.items);
                match answer.next.filter(|_| page < PAGES_MAX) {
                    Some(next) => self.read(raised.clone(), calls, Some(next), page + 1),
                    None => {
                        self.calls.set(calls);
                        self.fetch.set(Fetch::There);
                    }
                }
            }
            Err(error) => self.fetch.set(Fetch::Failed(error)),
        });
    }

    /// Whether a call that was open when it was fetched has ended since: the feed holds open ones alone.
    fn lost_one(self, held: &Held) -> bool {
        let is_held = |id| held.whistles.iter().any(|live| live.id == id);
        self.fetch.with_untracked(|fetch| *fetch == Fetch::There)
            && self
                .calls
                .with_untracked(|calls| calls.iter().any(|call| call.closed.is_none() && !is_held(call.id)))
    }

    /// Tracked: what was fetched under what the feed has brought since. Nothing before the first answer.
    fn joined(self, raised: &str, offset: UtcOffset, board: Board) -> Vec<Whistle> {
        let mut calls = if self.is_of_address() { self.calls.get() } else { Vec::new() };
        if calls.is_empty() && self.fetch.with(|fetch| *fetch != Fetch::There) {
            return calls;
        }
        let inside = |call: &&Whistle| call.raised.local(offset).date.to_string().starts_with(raised);
        board.with(Part::Whistles, |held| join(&mut calls, held.whistles.iter().filter(inside)));
        calls
    }
}

/// Open calls, or those of the period.
fn rows(filters: Memo<Filters>, period: Period, board: Board) -> Memo<Vec<Whistle>> {
    let (hall, names) = (use_hall(), use_names());
    memo(move || {
        let late = filters.with(|filters| filters.get("late") == Some("true"));
        let now = if late { hall.now() } else { UtcMillis(0) };
        let fits = |call: &Whistle| !late || missing_of(call, now) > 0;
        if let Some(raised) = period.raised.get() {
            let offset = names.with(|names| names.policy.utc_offset_minutes);
            let mut calls = period.joined(&raised, offset, board);
            calls.retain(fits);
            return calls;
        }
        board.with(Part::Whistles, |held| {
            let open = held.whistles.iter().filter(|call| call.closed.is_none());
            let mut open: Vec<Whistle> = open.filter(|call| fits(call)).cloned().collect();
            order::sort_by_key(&mut open, |call| (call.missing().next().is_none(), call.due, call.id));
            open
        })
    })
}

/// Puts what has come since over what was fetched, newest first; of two states of a call the later one stays.
fn join<'a>(calls: &mut Vec<Whistle>, live: impl Iterator<Item = &'a Whistle>) {
    for live in live {
        match calls.iter_mut().find(|call| call.id <= live.id) {
            Some(call) if call.id == live.id => {
                if call.version < live.version {
                    *call = live.clone();
                }
            }
            Some(_) | None => {
                let at = calls.iter().position(|call| call.id < live.id).unwrap_or(calls.len());
                calls.insert(at, live.clone());
            }
        }
    }
}

/// Pages asked for: a month of a city has a few hundred calls.
const PAGES_MAX: usize = 20;

#[cfg(test)]
mod tests {
    use domain::code::{AreaCode, WhistleId};
    use domain::whistle::{WhistleCall, WhistleLevel};

    use super::*;

    fn call(id: u64, version: u64) -> Whistle {
        let area = AreaCode::new("530102").unwrap();
        let call = WhistleCall {
            level: WhistleLevel::Street,
            area,
            title: "占道".into(),
            case: None,
            called: Vec::new(),
        };
        let (raised, due) = (UtcMillis(0), UtcMillis(1));
        Whistle {
            id: WhistleId(id),
            call,
            area_path: Vec::new(),
            raised,
            due,
            called: Vec::new(),
            closed: None,
            version,
        }
    }

    #[test]
    fn what_the_feed_knows_later_stands_over_what_was_fetched() {
        let live = [call(2, 9), call(1, 3), call(4, 10)];
        let mut calls = vec![call(3, 8), call(2, 4), call(1, 5)];
        join(&mut calls, live.iter());
        let seen: Vec<_> = calls.iter().map(|call| (call.id.0, call.version)).collect();
        assert_eq!(seen, [(4, 10), (3, 8), (2, 9), (1, 5)]);
    }
}
