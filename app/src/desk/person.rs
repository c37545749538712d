//! The inspectors nearest to the case, beside its map: letter, code, what they do, how far, how old the fix.

use leptos::prelude::*;

use super::use_desk;
use crate::hall::use_hall;
use crate::language::use_language;
use crate::people::{Nearby, age_words, state_word};
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
    let places = Memo::new(move |_| people.with(Vec::len));
    let row = move |place: usize| {
        let one = move || people.with(|people| people.get(place).cloned());
        let word = move |read: fn(&Nearby) -> String| move || one().as_ref().map(read);
        let state = move || one().map(|one| state_word(speaks.get(), one.stale, one.moving));
        let age = move || one().map(|one| age_words(speaks.get(), one.fixed, hall.now()));
        let stale = move || one().is_some_and(|one| one.stale);
        view! {
            <li class="person" class:stale=stale>
                <i class="pin round" class:on=move || !stale()>{letter(place)}</i><b>{word(|one| one.code.clone())}</b>
                <span>{state}</span><em>{word(distance)}</em><span class="age">{age}</span>
            </li>
        }
    };
    let none = move || {
        (places.get() == 0).then(|| view! { <li class="note">{say!(speaks.get(), people.none_near)}</li> })
    };
    view! {
        <ul class="near people" aria-label=says!(speaks, people.nearest)>
            {none}
            {move || (0..places.get()).map(row).collect_view()}
        </ul>
    }
}

fn distance(one: &Nearby) -> String {
    match one.distance_m {
        near if near < 1_000.0 => format!("{} m", text::fixed(near, 0)),
        far => format!("{} km", text::fixed(far / 1_000.0, 1)),
    }
}
