//! Where it happens: the map with inspectors, open cases and the incident, under the count of inspectors on duty.

use domain::catalogue::AreaLevel;
use domain::clock::Limit;
use domain::code::AreaCode;
use domain::definition;
use domain::moment::UtcMillis;
use domain::tally::{Dimension, Measure, Period};
use leptos::prelude::*;

use super::Panel;
use crate::board::{Part, use_board};
use crate::figure::{Evidence, Figure};
use crate::hall::use_hall;
use crate::language::use_language;
use crate::map::{
    MapCamera, MapCase, MapFocus, MapHandle, MapOptions, MapPadding, MapSize, MapView, use_ground,
};
use crate::names::{Called, Names, use_names};
use crate::once::{anew, effect, memo};
use crate::people::{OnDuty, use_people};
use crate::text;
use crate::wall::Focus;
use crate::words::{Language, say, says};

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
    let on_click = super::pointed::answer();
    view! {
        <Panel class="where" label=Signal::derive(label)>
            <div class="mapbox"><MapView handle=map manner on_click=on_click/></div>
            <Headline on_duty/>
        </Panel>
    }
}

/// A map at least this wide has room for a legend and for words beside its marks.
const WIDE_REM: f64 = 80.0;

fn manner(size: MapSize) -> MapOptions {
    let wide = size.width >= WIDE_REM * size.rem;
    let padding = if wide { [4.0, 6.0, 5.0, 2.4] } else { [7.4, 1.6, 4.4, 1.6] };
    let [top, right, bottom, left] = padding.map(|side| side * size.rem);
    // The headline stands in a corner above the city.
    let [width, height] = if wide { [30.0, 15.0] } else { [24.0, 13.6] }.map(|side| side * size.rem);
    MapOptions {
        font_px: 2.4 * size.rem,
        legend: wide,
        priority_max: if wide { 3 } else { 2 },
        padding: MapPadding { top, right, bottom, left },
        reserved: vec![[0.0, 0.0, width, height]],
        ..MapOptions::default()
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
            <h2>{says!(speaks, wall.inspectors)}</h2>
            <div class="num sub"><Figure class="second" value=Signal::derive(fresh) evidence=move || evidence(definition::ONLINE)/>{anew(late)}</div>
        </div>
    }
}

fn follow_cases(map: MapHandle) {
    let (board, names) = (use_board(), use_names());
    effect(move || {
        let cases: Vec<MapCase> = board.with(Part::Cases, |held| {
            names.with(|names| held.open.iter().filter_map(|case| MapCase::of(case, names)).collect())
        });
        map.set_cases(&cases);
    });
}

/// Open cases of each district, under its name.
fn follow_districts(map: MapHandle) {
    let (board, names) = (use_board(), use_names());
    effect(move || {
        let districts: Vec<AreaCode> = names.with(|names| {
            names.at_level(AreaLevel::District).into_iter().map(|area| area.code.clone()).collect()
        });
        let open = |code: &AreaCode| board.count(Measure::Open, &Dimension::Area(code.clone()), Period::Now);
        map.set_district_counts(districts.iter().map(|code| (code, open(code))));
    });
}

fn follow_focus(map: MapHandle) {
    let (names, speaks, hall) = (use_names(), use_language(), use_hall());
    let focus = expect_context::<Focus>();
    // On a small map the words find no room; the incident beside it says them.
    let shown = memo(move || {
        let (language, case) = (speaks.get(), focus.line.get()?);
        let title = names.with(|names| names.class(language, &case.class));
        let note = case.due.and_then(|due| left(language, due, case.limit, hall.now(), names));
        Some(MapFocus { place: case.place?, radius_m: FOCUS_RADIUS_M, title, note: note.unwrap_or_default() })
    });
    effect(move || map.set_focus(shown.get().as_ref()));
    effect(move || {
        let pictures = focus.pictures.get();
        let state = |index: usize| pictures.get(index).copied().unwrap_or("idle");
        let marks = focus.linked.with(|linked| MapCamera::linked(linked.cameras(), state));
        map.set_linked(&marks);
    });
}

/// `剩 2:22 工作时`; none before the names are known.
fn left(
    language: Language,
    due: UtcMillis,
    limit: Option<Limit>,
    now: UtcMillis,
    names: Called,
) -> Option<String> {
    let counted = |names: &Names| {
        let policy = &names.policy;
        Some(text::countdown(due, limit, now, &policy.calendar, policy.utc_offset_minutes))
    };
    let clock = names.with(counted)?;
    let (phase, unit) = (text::phase_note(language, clock.late), text::unit_name(language, clock.unit));
    Some(match clock.days {
        Some(days) => format!("{phase} {days} {unit} {}", clock.digits),
        None => format!("{phase} {} {unit}", clock.digits),
    })
}
