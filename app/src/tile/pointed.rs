//! What the wall's map answers when something on it is pressed: the case's page, or a card with what the mark stands for.

use domain::case::Priority;
use domain::code::{AreaCode, CaseId};
use domain::moment::UtcMillis;
use domain::tally::{Dimension, Measure, Period};
use leptos::prelude::*;
use send_wrapper::SendWrapper;

use crate::board::{Board, use_board, words_of};
use crate::figure::{Evidence, use_asked};
use crate::hall::use_hall;
use crate::language::use_language;
use crate::live::Health;
use crate::map::MapClick;
use crate::names::{Called, use_names};
use crate::people::{self, Feed, Who};
use crate::text;
use crate::wall::Focus;
use crate::words::{Language, say};
use crate::world;

/// Names or cases that a card writes out.
const WRITTEN_MAX: usize = 12;
const CASES_WRITTEN_MAX: usize = 500;
/// The legend's last level; it has a word and no number.
const ORDINARY: u8 = Priority::Ordinary as u8 + 1;

/// What a click needs to be answered.
#[derive(Clone)]
struct Screen {
    board: Board,
    names: Called,
    who: Who,
    feed: SendWrapper<Feed>,
    language: Language,
}

/// Opens what was pressed.
pub fn answer() -> Callback<MapClick> {
    let (speaks, hall, asked) = (use_language(), use_hall(), use_asked());
    let (board, names, focus) = (use_board(), use_names(), expect_context::<Focus>());
    let (who, health) = (expect_context::<Who>(), expect_context::<Health>());
    let feed = SendWrapper::new(people::use_people());
    Callback::new(move |click: MapClick| {
        let language = untrack(|| speaks.get());
        let screen = Screen { board, names, who, feed: feed.clone(), language };
        let now = health.stands(hall);
        let evidence = untrack(|| match click {
            MapClick::Case(id) => {
                // Failing to leave the page is seen by whoever pressed.
                let _ = window().location().assign(&world::case(id));
                None
            }
            MapClick::Cases(ids) => Some(screen.cases(&ids)),
            MapClick::Person(index) => {
                let spot = focus.case.get().and_then(|id| board.case(id)).and_then(|case| case.place);
                people::card(language, names, who, &screen.feed, index, spot, now)
            }
            MapClick::People(indices) => Some(screen.group(&indices, now)),
            MapClick::District(code) => Some(screen.district(&code, now)),
            MapClick::Priority(level) => Some(screen.priority(level)),
            // Its picture is beside the map, under the same number.
            MapClick::Camera(_) => None,
        });
        if let Some(evidence) = evidence {
            asked.set(Some(untrack(|| evidence.stood(now, names))));
        }
    })
}

impl Screen {
    /// One mark for several cases: each with its page.
    fn cases(&self, ids: &[CaseId]) -> Evidence {
        let row = |id: &CaseId| {
            let case = self.board.case(*id)?;
            let class = self.names.with(|names| names.class(self.language, &case.class));
            let area = || self.names.with(|names| names.area_brief(self.language, &case.area_path));
            let known = self.board.peek(|held| {
                words_of(held, *id).map(|(number, address)| format!("{number} {class} {address}"))
            });
            let words = known.unwrap_or_else(|| format!("{class} {}", area()));
            Some((words, world::case(*id)))
        };
        let rows: Vec<(String, String)> = ids.iter().take(CASES_WRITTEN_MAX).filter_map(row).collect();
        let more = ids.len() - rows.len();
        let evidence = Evidence {
            title: say!(self.language, wall.cases_here, count = ids.len()),
            formula: say!(self.language, wall.cases_here_rule),
            rows,
            ..Evidence::default()
        };
        match more {
            0 => evidence,
            more => evidence.part(say!(self.language, wall.not_listed), more.to_string()),
        }
    }

    fn group(&self, indices: &[u32], now: UtcMillis) -> Evidence {
        let language = self.language;
        let stale_ms = self.names.with(|names| i64::from(names.policy.position_stale_seconds) * 1_000);
        let seen = indices.iter().filter_map(|index| self.feed.one(*index));
        let stale = seen.filter(|seen| now.since(seen.fixed) > stale_ms).count();
        let codes = indices.iter().take(WRITTEN_MAX).filter_map(|index| self.who.code(*index));
        let mut members: Vec<String> = codes.collect();
        if indices.len() > WRITTEN_MAX {
            members.push(say!(language, people.more, count = indices.len()));
        }
        let evidence = Evidence {
            title: say!(language, people.group, count = indices.len()),
            source: say!(language, people.source),
            ..Evidence::default()
        };
        evidence
            .part(say!(language, people.position_stale), stale.to_string())
            .part(say!(language, people.members), members.join("  "))
    }

    fn district(&self, code: &AreaCode, now: UtcMillis) -> Evidence {
        let language = self.language;
        let open = self.board.count(Measure::Open, &Dimension::Area(code.clone()), Period::Now);
        let late = self.board.dispatches(Some(code), now).late as i64;
        let evidence = Evidence::of(language, self.names, Measure::Open.key());
        let name = self.names.with(|names| names.area(language, code));
        let title = format!("{name} {}", evidence.title);
        let late_cases = format!("open=true&stage=dispatch&phase=overdue&area={code}");
        evidence
            .titled(title)
            .value(language, text::grouped(open))
            .part_of(say!(language, wall.overdue), text::grouped(late), &late_cases)
            .cases(&format!("open=true&area={code}&sort=due"))
    }

    /// What the legend counts: open cases of one priority that have a position, each with its page.
    fn priority(&self, level: u8) -> Evidence {
        let language = self.language;
        let ids: Vec<CaseId> = self.board.peek(|held| {
            let placed = held.open.iter().filter(|case| case.place.is_some());
            placed.filter(|case| case.priority as u8 + 1 == level).map(|case| case.id).collect()
        });
        let title = match level {
            ORDINARY => say!(language, wall.ordinary_cases, count = ids.len()),
            level => say!(language, wall.priority_cases, count = ids.len(), level = level),
        };
        self.cases(&ids).titled(title)
    }
}
