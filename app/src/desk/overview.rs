//! The whole city while no case is open: the cases of the queue where they lie, the people on the streets.

use domain::code::AreaCode;
use domain::tally::{Dimension, Measure, Period};
use leptos::prelude::*;
use send_wrapper::SendWrapper;

use super::use_desk;
use crate::board::use_board;
use crate::figure::use_asked;
use crate::hall::use_hall;
use crate::language::use_language;
use crate::live::Health;
use crate::map::{MapCase, MapClick, MapHandle, MapOptions, MapPadding, MapSize, MapView};
use crate::names::use_names;
use crate::once::effect;
use crate::people::{self, Who, use_people};
use crate::words::says;

/// A press on one of the marks opens the case, the district's list or the person's card.
#[component]
pub fn Overview() -> impl IntoView {
    let (speaks, desk, names, board) = (use_language(), use_desk(), use_names(), use_board());
    let map = MapHandle::new();
    let feed = use_people();
    feed.show_on(map);
    effect(move || {
        let cases: Vec<MapCase> = desk.listing.groups.with(|groups| {
            let rows = groups.iter().flat_map(|group| &group.rows);
            names.with(|names| rows.filter_map(|case| MapCase::listed(case, names)).collect())
        });
        map.set_cases(&cases);
    });
    effect(move || {
        let districts: Vec<AreaCode> = names.with(|names| {
            let all = names.at_level(domain::catalogue::AreaLevel::District);
            all.into_iter().map(|area| area.code.clone()).collect()
        });
        let open = |code: &AreaCode| board.count(Measure::Open, &Dimension::Area(code.clone()), Period::Now);
        map.set_district_counts(districts.iter().map(|code| (code, open(code))));
    });
    let (hall, asked, who) = (use_hall(), use_asked(), expect_context::<Who>());
    let (feed, health) = (SendWrapper::new(feed), expect_context::<Health>());
    let on_click = Callback::new(move |click: MapClick| match click {
        MapClick::Case(id) => desk.open(Some(id), false),
        MapClick::Cases(ids) => desk.open(ids.first().copied(), false),
        MapClick::Person(index) => {
            let language = untrack(|| speaks.get());
            let now = health.stands(hall);
            let card = untrack(|| people::card(language, names, who, &feed, index, None, now));
            asked.set(card);
        }
        MapClick::District(code) => {
            let filters = desk.filters.with_untracked(|filters| filters.with("area", code.as_str()));
            desk.list(&filters, false);
        }
        // A crowd is looked at by coming closer, and no camera stands on this map.
        MapClick::People(_) | MapClick::Camera(_) | MapClick::Priority(_) => {}
    });
    view! {
        <p class="sheet-state" role="status">{says!(speaks, desk.choose_case)}</p>
        <div class="overview"><MapView handle=map manner on_click=on_click/></div>
    }
}

fn manner(size: MapSize) -> MapOptions {
    let rem = size.rem;
    MapOptions {
        interactive: true,
        legend: true,
        font_px: 1.5 * rem,
        padding: MapPadding { top: 2.4 * rem, right: 4.0 * rem, bottom: 4.8 * rem, left: 4.0 * rem },
        ..MapOptions::default()
    }
}
