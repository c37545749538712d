//! One case in the list: lamp, number, what, where, stage, share used, countdown in its own unit, who has it.

use domain::code::CaseId;
use domain::wire::CaseLine;
use leptos::prelude::*;

use super::clock::{Lamp, countdown, lamp, may_move, share, unit};
use super::keys::row_id;
use super::{Desk, use_desk};
use crate::hall::use_hall;
use crate::language::use_language;
use crate::mark::Sign;
use crate::names::use_names;
use crate::once::{anew, memo};
use crate::text;
use crate::words::{Language, say};

/// What changes in a row as time passes.
#[derive(Debug, Clone, PartialEq)]
struct Face {
    lamp: Lamp,
    left: Option<String>,
    share: i64,
}

/// `row` is the case as it is listed when it is drawn first, `count` how many rows its group has, drawn or not.
#[component]
pub fn Row(row: CaseLine, hand: Memo<Option<CaseId>>, count: Memo<usize>) -> impl IntoView {
    let (speaks, desk, names) = (use_language(), use_desk(), use_names());
    let (id, first) = (row.id, StoredValue::new(row));
    // A list that is read anew keeps the element of the case. One that has just left it is shown as it was, until it is taken away.
    let listed = Memo::new(move |before: Option<&CaseLine>| {
        let line = desk.listing.line(id).or_else(|| before.cloned());
        line.unwrap_or_else(|| first.get_value())
    });
    let case = memo(move || listed.with(|row| desk.listing.current(row)));
    let face = face(case);
    let gone = memo(move || {
        let filters = desk.filters.get();
        listed.with(|row| desk.listing.has_gone(row, &filters))
    });
    let selected = memo(move || desk.selected.get() == Some(id));
    let class = move || {
        let lamp = face.with(|face| face.lamp.class());
        format!(
            "case-row {lamp}{}{}",
            if selected.get() { " sel" } else { "" },
            if gone.get() { " gone" } else { "" }
        )
    };
    // One row is in the order of the tab key; arrows go on from there.
    let tab = move || if hand.get() == Some(id) { "0" } else { "-1" };
    let at = Memo::new(move |before: Option<&usize>| {
        desk.listing.place(id).map(|place| place.1).or(before.copied()).unwrap_or_default()
    });
    let top = move || format!("calc({} * var(--row))", at.get());
    let moves = move || case.with(|case| may_move(speaks.get(), case));
    let href = move || desk.filters.with(|filters| Desk::address_of(filters, Some(id)));
    let label =
        move || case.with(|case| face.with(|face| label(speaks.get(), case, face, gone.get(), names)));
    let current = move || (desk.opened.get() == Some(id)).then_some("true");
    view! {
        <li style:top=top aria-posinset=move || at.get() + 1 aria-setsize=move || count.get()><a id=row_id(id) class=class aria-label=label href=href tabindex=tab aria-current=current on:click=move |_| desk.selected.set(Some(id)) on:focus=move |_| desk.selected.set(Some(id))>
            <span class=move || face.with(|face| format!("lamp {}", face.lamp.class()))><Sign mark=Signal::derive(move || face.with(|face| face.lamp.mark()))/>{anew(move || face.with(|face| face.lamp.word(speaks.get())))}</span>
            <span class="no">{anew(move || case.with(|case| short_number(&case.number).to_owned()))}</span>
            <span class="cls"><b>{anew(move || case.with(|case| names.with(|names| names.class_short(speaks.get(), &case.class))))}</b>{anew(move || case.with(|case| case.condition.clone()))}</span>
            <span class="pl">{anew(move || case.with(|case| place(speaks.get(), case, names)))}</span>
            <span class="stg">{anew(move || case.with(|case| stage(speaks.get(), case, gone.get())))}</span>
            <Used face/>
            <span class="due-in" class:moves=move || moves().is_some()>{anew(move || face.with(|face| face.left.clone()))}{move || moves().map(|word| view! { <small>{word}</small> })}</span>
            <span class="un">{move || case.with(|case| case.due.map(|_| text::unit_name(speaks.get(), unit(case))))}</span>
            <span class="own" class:me=move || case.with(|case| case.claimed_by.as_deref() == Some(desk.me().as_str()))>{move || case.with(|case| case.claimed_by.clone()).unwrap_or_else(|| say!(speaks.get(), desk.unclaimed))}</span>
        </a></li>
    }
}

fn face(case: Memo<CaseLine>) -> Memo<Face> {
    let (speaks, names, hall) = (use_language(), use_names(), use_hall());
    // Minutes are the finest digits of a countdown; a change each five seconds is enough and spares the list work.
    let tick = memo(move || hall.now().0 / 5_000);
    memo(move || {
        tick.get();
        let now = hall.present();
        case.with(|case| {
            let shown = names.with(|names| {
                let policy = &names.policy;
                let share = (share(case, now, policy) * 100.0).round() as i64;
                Some(Face {
                    lamp: lamp(case, now, policy),
                    left: countdown(speaks.get(), case, now, policy),
                    share,
                })
            });
            shown.unwrap_or(Face { lamp: Lamp::NoClock, left: None, share: 0 })
        })
    })
}

#[component]
fn Used(face: Memo<Face>) -> impl IntoView {
    let clocked = move || face.with(|face| face.lamp != Lamp::NoClock);
    let width = move || format!("{}%", face.with(|face| face.share));
    view! { <span class="use">{anew(move || clocked().then(|| view! { <i><u style:width=width></u></i> }))}</span> }
}

fn place(language: Language, case: &CaseLine, names: crate::names::Called) -> String {
    match case.address.is_empty() {
        true => names.with(|names| names.area_words(language, &case.area_path)),
        false => case.address.clone(),
    }
}

fn stage(language: Language, case: &CaseLine, gone: bool) -> String {
    let name = text::stage_name(language, case.stage);
    match (gone, case.closed.is_some()) {
        (_, true) => say!(language, desk.now_closed),
        (true, false) => say!(language, desk.moved_to, stage = name),
        (false, false) => name,
    }
}

/// The row read out: what stands under the heads of columns is said with them where it does not speak for itself.
fn label(
    language: Language,
    case: &CaseLine,
    face: &Face,
    gone: bool,
    names: crate::names::Called,
) -> String {
    let class = names.with(|names| names.class(language, &case.class));
    let condition = case.condition.clone().unwrap_or_default();
    let left = face.left.as_ref().map(|left| {
        format!("{} {left} {}", say!(language, desk.col_left), text::unit_name(language, unit(case)))
    });
    let owner = case.claimed_by.clone().unwrap_or_else(|| say!(language, desk.unclaimed));
    let parts = [
        face.lamp.word(language),
        short_number(&case.number).to_owned(),
        format!("{class} {condition}").trim().to_owned(),
        place(language, case, names),
        stage(language, case, gone),
        left.unwrap_or_default(),
        format!("{} {owner}", say!(language, desk.col_owner)),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(match language {
        Language::Zh => "，",
        Language::En => ", ",
    })
}

/// `1121-07245` of `20261121-07245`: in one list the year goes without saying.
fn short_number(number: &str) -> &str {
    match number.split_once('-') {
        Some((day, _)) if day.len() == 8 && day.bytes().all(|byte| byte.is_ascii_digit()) => &number[4..],
        _ => number,
    }
}

#[cfg(test)]
mod tests {
    use super::short_number;

    #[test]
    fn only_our_own_numbers_are_shortened() {
        assert_eq!(short_number("20261121-07245"), "1121-07245");
        assert_eq!(short_number("311-5512"), "311-5512");
        assert_eq!(short_number("案件一"), "案件一");
    }
}
