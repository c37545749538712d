//! The whistle board (吹哨报到): open calls with their response clocks, named by the unit that is missing.

use domain::code::DepartmentCode;
use domain::moment::{MINUTE_MS, UtcMillis};
use domain::tally::{Dimension, Measure, Period};
use domain::whistle::Whistle;
use leptos::prelude::*;

use super::{Panel, today};
use crate::board::{Board, Part, use_board};
use crate::figure::{Evidence, Figure};
use crate::hall::use_hall;
use crate::language::use_language;
use crate::mark::{Mark, Sign};
use crate::names::{Names, use_names};
use crate::once::{anew, listed, memo, shown};
use crate::order;
use crate::text;
use crate::words::{Language, say, says};
use crate::world;

/// Rows of evidence; the style sheet shows as many as fit.
const ROWS: usize = 4;

#[component]
pub fn Whistles() -> impl IntoView {
    let (speaks, board) = (use_language(), use_board());
    let rows = memo(move || board.with(Part::Whistles, |held| first(held.whistles.iter())));
    let calm = move || rows.with(Vec::is_empty) && board.knows(Part::Whistles);
    view! {
        <Panel class="whistle board" label=Signal::derive(says!(speaks, wall.whistle_late))>
            <div class="lead"><Count/></div>
            <ol class="rows">
                {listed(move || rows.get(), |row| (row.id.0, row.version), |row| view! { <Row row/> })}
                {shown(calm, move || view! { <li class="calm"><Sign mark=Mark::Done/>{says!(speaks, wall.calm_whistle)}</li> })}
            </ol>
        </Panel>
    }
}

/// Those that wait for someone first, by due time; then those where everyone has come, newest first.
fn first<'a>(rows: impl Iterator<Item = &'a Whistle>) -> Vec<Whistle> {
    let mut rows: Vec<&Whistle> = rows.collect();
    order::sort_by_key(&mut rows, |row| match row.missing().next() {
        Some(_) => (0, row.due.0),
        None => (1, -row.raised.0),
    });
    rows.into_iter().take(ROWS).cloned().collect()
}

/// Open calls, and how many departments are missing beyond their limit: from the same rows as the board's.
fn counts(board: Board, now: UtcMillis) -> (usize, usize) {
    board.with(Part::Whistles, |held| {
        let late = held.whistles.iter().filter(|call| call.due <= now);
        (held.whistles.iter().count(), late.map(|call| call.missing().count()).sum())
    })
}

const OPEN_CALLS: &str = "list=whistles";
const LATE_CALLS: &str = "list=whistles&late=true";

#[component]
fn Count() -> impl IntoView {
    let (speaks, board, today) = (use_language(), use_board(), today());
    let (names, hall) = (use_names(), use_hall());
    let counts = memo(move || counts(board, hall.now()));
    let (open, late) = (
        move || board.said(Part::Whistles, counts.get().0 as i64),
        move || board.said(Part::Whistles, counts.get().1 as i64),
    );
    let evidence = move || {
        let language = speaks.get();
        Evidence::of(language, names, Measure::WhistleLate.key())
            .value(language, late())
            .part_of(say!(language, wall.whistle_open_name), open(), OPEN_CALLS)
            .cases(LATE_CALLS)
            .note(say!(language, wall.late_calls_list))
    };
    let open_evidence = move || {
        let language = speaks.get();
        Evidence::of(language, names, Measure::WhistleOpen.key())
            .value(language, open())
            .part_of(say!(language, wall.whistle_late), late(), LATE_CALLS)
            .cases(OPEN_CALLS)
    };
    let raised = move |period: Period| {
        board.said(Part::Tally, board.count(Measure::WhistleRaised, &Dimension::City, period))
    };
    let day = move || raised(Period::Day(today.get()));
    let month = move || raised(Period::month_of(today.get()));
    let month_key =
        move || format!("{:04}-{:02}", today.get().number() / 10_000, today.get().number() / 100 % 100);
    let raised_evidence = move |title: String, value: String, when: String| {
        let language = speaks.get();
        let evidence = Evidence::of(language, names, Measure::WhistleRaised.key()).titled(title);
        evidence.value(language, value).cases(&format!("{OPEN_CALLS}&raised={when}"))
    };
    let day_evidence =
        move || raised_evidence(say!(speaks.get(), wall.whistle_today_name), day(), today.get().to_string());
    let month_evidence =
        move || raised_evidence(say!(speaks.get(), wall.whistle_month_name), month(), month_key());
    let open_words = Signal::derive(move || say!(speaks.get(), wall.whistle_open, count = open()));
    let day_words = Signal::derive(move || say!(speaks.get(), wall.whistle_today, count = day()));
    let month_words = Signal::derive(move || say!(speaks.get(), wall.whistle_month, count = month()));
    view! {
        <div class="count">
            <h2>{says!(speaks, wall.whistle_late)}</h2>
            <div class="num" class:urge=move || { counts.get().1 > 0 }>
                <Figure class="first" value=Signal::derive(late) evidence/>
                <span class="un">{anew(move || say!(speaks.get(), wall.calls, count = counts.get().1))}</span>
            </div>
            <p class="note hi"><Figure class="inline" value=open_words evidence=open_evidence/></p>
            <p class="note"><Figure class="inline" value=day_words evidence=day_evidence/></p>
            <p class="note w"><Figure class="inline" value=month_words evidence=month_evidence/></p>
        </div>
    }
}

/// One call: when it was raised, when everyone must have come, who has.
pub(super) fn call_evidence(language: Language, names: &Names, call: &Whistle, now: UtcMillis) -> Evidence {
    let offset = names.policy.utc_offset_minutes;
    let moment = |at| text::moment(language, at, now, offset);
    let evidence = Evidence {
        title: format!("{} {}", text::level_name(language, call.call.level), call.call.title),
        formula: say!(language, wall.response_rule),
        source: names.policy.stated_source.clone(),
        in_force: say!(language, wall.limit_minutes, minutes = call.due.since(call.raised) / MINUTE_MS),
        rows: call
            .call
            .case
            .map(|case| (say!(language, wall.case_of_call), world::case(case)))
            .into_iter()
            .collect(),
        ..Evidence::default()
    };
    let evidence = evidence
        .part(say!(language, wall.raised_at), moment(call.raised))
        .part(say!(language, desk.due), moment(call.due));
    let each = call.called.iter().fold(evidence, |evidence, called| {
        let state = match called.responded {
            Some(at) => format!("{} {}", moment(at), say!(language, wall.arrived)),
            None => {
                let (late, digits) = text::in_minutes(call.due, now);
                format!("{} {digits}", text::phase_note(language, late))
            }
        };
        evidence.part(names.department(language, &called.department), state)
    });
    each.cases(OPEN_CALLS)
}

/// What a call waits for at `now`.
enum Awaits {
    Unit { department: DepartmentCode, more: usize },
    Nobody,
}

fn awaits(whistle: &Whistle) -> Awaits {
    let mut missing = whistle.missing();
    match missing.next() {
        Some(first) => Awaits::Unit { department: first.department.clone(), more: missing.count() },
        None => Awaits::Nobody,
    }
}

#[component]
fn Row(row: Whistle) -> impl IntoView {
    let (speaks, names, hall) = (use_language(), use_names(), use_hall());
    let level = row.call.level;
    let (due, limit_minutes) = (row.due, row.due.since(row.raised) / MINUTE_MS);
    let waits = StoredValue::new(awaits(&row));
    let missing = waits.with_value(|waits| matches!(waits, Awaits::Unit { .. }));
    let row = StoredValue::new(row);
    let near = move |now: UtcMillis| {
        let (whole, left) = row.with_value(|row| (row.due.since(row.raised), row.due.since(now)));
        names.with(|names| left * 100 <= whole * (100 - i64::from(names.policy.lamp_yellow_percent)))
    };
    let mark = Signal::derive(move || match (missing, hall.now()) {
        (false, _) => Mark::Done,
        (true, now) if now >= due => Mark::Over,
        (true, now) if near(now) => Mark::Near,
        (true, _) => Mark::Inside,
    });
    let who = move || {
        let language = speaks.get();
        waits.with_value(|waits| match waits {
            Awaits::Nobody => say!(language, wall.arrived_all),
            Awaits::Unit { department, .. } => {
                names.with(|names| names.department_short(language, department))
            }
        })
    };
    let evidence = move || {
        names.with(|names| row.with_value(|row| call_evidence(speaks.get(), names, row, hall.present())))
    };
    // Beside the name and never cut: a long name is shortened instead.
    let clock = move || {
        missing.then(|| {
            let (late, digits) = text::in_minutes(due, hall.now());
            let words = format!("{} {digits}", text::phase_note(speaks.get(), late));
            view! { <b><Figure class="inline" value=words evidence/></b> }
        })
    };
    let above = move || (!missing || speaks.get() == Language::Zh).then(who);
    let came = move || {
        let language = speaks.get();
        let came: Vec<String> = row.with_value(|row| {
            let came = row.called.iter().filter(|called| called.responded.is_some());
            names.with(|names| {
                came.map(|called| names.department_short(language, &called.department)).collect()
            })
        });
        // English names are long: the unit stands below its clock, where it has the whole line.
        let below = (missing && language == Language::En).then(who);
        let came = (!came.is_empty()).then(|| format!("{} {}", came.join(" "), say!(language, wall.arrived)));
        [below, came].into_iter().flatten().collect::<Vec<_>>().join("　")
    };
    let more = waits.with_value(|waits| match waits {
        Awaits::Unit { more, .. } if *more > 0 => Some(*more),
        Awaits::Unit { .. } | Awaits::Nobody => None,
    });
    let more = more.map(|more| {
        let value = Signal::derive(move || say!(speaks.get(), wall.missing_more, count = more));
        view! { <Figure class="inline" value evidence/>"　" }
    });
    let limit = Signal::derive(move || say!(speaks.get(), wall.limit_minutes, minutes = limit_minutes));
    let place =
        move || row.with_value(|row| names.with(|names| names.area_brief(speaks.get(), &row.area_path)));
    view! {
        <li class="row">
            <div><p class="lv"><Sign mark=Mark::of_level(level)/>{anew(move || text::level_name(speaks.get(), level))}</p>
                <p class="l2"><Figure class="inline" value=limit evidence/></p></div>
            <div><p class="l1 said">{row.with_value(|row| row.call.title.clone())}</p><p class="l2">{place}</p></div>
            <div><p class="ck1" class:act1=move || mark.get() == Mark::Over class:act3=move || mark.get() == Mark::Near><Sign mark/><span class="who said">{anew(above)}</span>{anew(clock)}</p>
                <p class="l2">{more}<span class="said">{anew(came)}</span></p></div>
        </li>
    }
}
