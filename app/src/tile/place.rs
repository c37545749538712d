//! Where it happens: the map with inspectors, open cases and the incident, under the count of inspectors on duty.

use domain::catalogue::AreaLevel;
use domain::code::AreaCode;
use domain::definition;
use domain::tally::{Dimension, Measure, Period};
use leptos::prelude::*;

use super::Panel;
use crate::board::{Part, use_board};
use crate::figure::{Evidence, Figure};
use crate::language::use_language;
use crate::map::{MapCamera, MapCase, MapFocus, MapHandle, MapOptions, MapPadding, MapView, use_ground};
use crate::names::use_names;
use crate::people::{OnDuty, use_people};
use crate::text;
use crate::wall::Focus;
use crate::words::say;

/// Metres around the incident that the map marks.
const FOCUS_RADIUS_M: f64 = 900.0;

#[component]
pub fn Where() -> impl IntoView {
    let speaks = use_language();
    let ground = use_ground();
    let label = move || match ground.is_schematic() {
        true => say!(speaks.get(), wall.schematic),
        false => say!(speaks.get(), wall.map),
    };
    let map = MapHandle::new();
    follow_cases(map);
    follow_districts(map);
    follow_focus(map);
    let people = use_people();
    people.show_on(map);
    let on_duty = people.on_duty();
    let unit = crate::wall::unit_px();
    let wide = crate::wall::is_wide();
    // The headline stands in a corner above the city.
    let headline = if wide { [30.0, 15.0] } else { [24.0, 13.6] };
    let padding = if wide { [4.0, 6.0, 5.0, 2.4] } else { [7.4, 1.6, 4.4, 1.6] }.map(|side| side * unit);
    let [top, right, bottom, left] = padding;
    let options = MapOptions {
        font_px: 2.4 * unit,
        legend: wide,
        priority_max: if wide { 3 } else { 2 },
        padding: MapPadding { top, right, bottom, left },
        ..MapOptions::default()
    };
    Effect::new(move |_| {
        map.set_reserved(&[[0.0, 0.0, headline[0] * unit, headline[1] * unit]]);
    });
    let on_click = super::pointed::answer();
    view! {
        <Panel class="where" label=Signal::derive(label)>
            <div class="mapbox"><MapView handle=map options=options on_click=on_click/></div>
            <Headline on_duty/>
        </Panel>
    }
}

#[component]
fn Headline(on_duty: RwSignal<OnDuty>) -> impl IntoView {
    let (speaks, names) = (use_language(), use_names());
    let fresh = move || text::grouped(on_duty.get().fresh as i64);
    let late_words = move || say!(speaks.get(), wall.late_positions, count = on_duty.get().late);
    let evidence = move |id: &'static str| {
        let (language, on_duty) = (speaks.get(), on_duty.get());
        let known = |id: &str| if id == definition::ONLINE { on_duty.fresh } else { on_duty.late } as i64;
        let other = if id == definition::ONLINE { definition::OFFLINE } else { definition::ONLINE };
        Evidence::of(language, names, id)
            .value(language, text::grouped(known(id)))
            .part(Evidence::of(language, names, other).title, text::grouped(known(other)))
            .note(say!(language, wall.on_the_map))
    };
    let late = move || {
        let value = Signal::derive(late_words);
        (on_duty.get().late > 0).then(
            || view! { <Figure class="inline stale" value evidence=move || evidence(definition::OFFLINE)/> },
        )
    };
    view! {
        <div class="mh">
            <h2>{move || say!(speaks.get(), wall.inspectors)}</h2>
            <div class="num sub"><Figure class="second" value=Signal::derive(fresh) evidence=move || evidence(definition::ONLINE)/>{late}</div>
        </div>
    }
}

fn follow_cases(map: MapHandle) {
    let (board, names) = (use_board(), use_names());
    Effect::new(move |_| {
        let cases: Vec<MapCase> = board.with(Part::Cases, |held| {
            names.with(|names| held.open.iter().filter_map(|case| MapCase::of(case, names)).collect())
        });
        map.set_cases(&cases);
    });
}

/// Open cases of each district, under its name.
fn follow_districts(map: MapHandle) {
    let (board, names) = (use_board(), use_names());
    Effect::new(move |_| {
        let districts: Vec<AreaCode> = names.with(|names| {
            names.at_level(AreaLevel::District).into_iter().map(|area| area.code.clone()).collect()
        });
        let open = |code: &AreaCode| board.count(Measure::Open, &Dimension::Area(code.clone()), Period::Now);
        map.set_district_counts(districts.iter().map(|code| (code, open(code))));
    });
}

fn follow_focus(map: MapHandle) {
    let (names, speaks) = (use_names(), use_language());
    let focus = expect_context::<Focus>();
    let wide = crate::wall::is_wide();
    let shown = Memo::new(move |_| {
        let case = focus.line.get()?;
        let title = names.with(|names| names.class(speaks.get(), &case.class));
        // A narrow wall has no room for the title on the map; the incident beside it says it.
        let (title, note) = if wide { (title, case.number) } else { (String::new(), String::new()) };
        Some(MapFocus { place: case.place?, radius_m: FOCUS_RADIUS_M, title, note, target: false })
    });
    Effect::new(move |_| map.set_focus(shown.get().as_ref()));
    Effect::new(move |_| {
        let pictures = focus.pictures.get();
        let state = |index: usize| pictures.get(index).copied().unwrap_or("idle");
        let marks = focus.linked.with(|linked| MapCamera::linked(linked.cameras(), state));
        map.set_linked(&marks);
    });
}
