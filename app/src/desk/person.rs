//! The inspectors nearest to the case, beside its map: letter, code, what they do, how far, how old the fix.

use leptos::prelude::*;
use send_wrapper::SendWrapper;

use super::use_desk;
use crate::figure::use_asked;
use crate::hall::use_hall;
use crate::language::use_language;
use crate::live::Health;
use crate::names::use_names;
use crate::once::{CollectRows, anew, memo};
use crate::people::{self, Nearby, Who, age_words, state_word, use_people};
use crate::text;
use crate::words::{say, says};

const LETTERS: [&str; 6] = ["A", "B", "C", "D", "E", "F"];

/// The letter of the person at a place in the list, on the map and beside it.
pub fn letter(place: usize) -> &'static str {
    LETTERS.get(place).copied().unwrap_or("+")
}

#[component]
pub fn PeopleList() -> impl IntoView {
    let (speaks, desk, hall) = (use_language(), use_desk(), use_hall());
    let people = desk.file.people;
    // A row is kept while its person stays in its place: only distance and age are written anew.
    let places = memo(move || people.with(Vec::len));
    // What a press on their mark on the map opens, by keys as well.
    let (names, asked, who) = (use_names(), use_asked(), expect_context::<Who>());
    let (feed, health) = (SendWrapper::new(use_people()), expect_context::<Health>());
    let open = move |one: Option<Nearby>| {
        let Some(one) = one else { return };
        let spot = desk.file.with(|answer| answer.case.report.place);
        let card = people::card(speaks.get(), names, who, &feed, one.index, spot, health.stands(hall));
        asked.set(Some(card.unwrap_or_else(|| people::gone(speaks.get(), &one.code))));
    };
    let row = move |place: usize| {
        let open = open.clone();
        let one = move || people.with(|people| people.get(place).cloned());
        let word = move |read: fn(&Nearby) -> String| move || one().as_ref().map(read);
        let state = move || one().map(|one| state_word(speaks.get(), one.stale, one.moving));
        let age = move || one().map(|one| age_words(speaks.get(), one.fixed, hall.now()));
        let stale = move || one().is_some_and(|one| one.stale);
        view! {
            <li class="person" class:stale=stale><button type="button" on:click=move |_| untrack(|| open(one()))>
                <i class="pin round" class:on=move || !stale()>{letter(place)}</i><b>{word(|one| one.code.clone())}</b>
                <span>{anew(state)}</span><em>{word(distance)}</em><span class="age">{anew(age)}</span>
            </button></li>
        }
    };
    let none = move || {
        (places.get() == 0).then(|| view! { <li class="note">{say!(speaks.get(), people.none_near)}</li> })
    };
    view! {
        <ul class="near people" aria-label=says!(speaks, people.nearest)>
            {anew(none)}
            {move || (0..places.get()).map(&row).collect_rows()}
        </ul>
    }
}

fn distance(one: &Nearby) -> String {
    match one.distance_m {
        near if near < 1_000.0 => format!("{} m", text::fixed(near, 0)),
        far => format!("{} km", text::fixed(far / 1_000.0, 1)),
    }
}
