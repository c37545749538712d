//! All keys of the desk, in a dialog.

use leptos::html;
use leptos::prelude::*;

use super::use_desk;
use crate::language::use_language;
use crate::once::{CollectRows, anew, effect};
use crate::words::{Language, say, says};
use crate::work::hand::switch_letters;

#[component]
pub fn Help() -> impl IntoView {
    let (speaks, desk) = (use_language(), use_desk());
    let dialog = NodeRef::<html::Dialog>::new();
    effect(move || {
        let (open, Some(dialog)) = (desk.help.get(), dialog.get()) else { return };
        match (open, dialog.open()) {
            (true, false) => drop(dialog.show_modal()),
            (false, true) => dialog.close(),
            _ => {}
        }
    });
    let rows = move || {
        let row = |(keys, words): (&'static str, String)| {
            let keys = keys.split(' ').map(|key| view! { <kbd>{key}</kbd> }).collect_rows();
            view! { <div><dt>{keys}</dt><dd>{words}</dd></div> }
        };
        all(speaks.get()).into_iter().map(row).collect_rows()
    };
    view! {
        <dialog class="card keys" node_ref=dialog aria-labelledby="keys-title" on:close=move |_| desk.help.set(false)>
            <div class="card-body">
                <h2 id="keys-title">{says!(speaks, desk.keys)}</h2>
                <label class="letters"><input type="checkbox" prop:checked=desk.letters on:change=move |event| switch_letters(desk.letters, event_target_checked(&event))/>{says!(speaks, desk.letter_keys)}</label>
                <dl>{anew(rows)}</dl>
                <p class="card-foot">
                    <button type="button" class="button" on:click=move |_| desk.help.set(false)>{says!(speaks, common.close)}</button>
                </p>
            </div>
        </dialog>
    }
}

fn all(language: Language) -> Vec<(&'static str, String)> {
    vec![
        ("↑ ↓ Home End", say!(language, desk.key_move)),
        ("Enter", say!(language, desk.key_open)),
        ("G 0–9", say!(language, desk.key_queue)),
        ("/", say!(language, desk.key_find)),
        (".", say!(language, desk.key_insert)),
        ("1–9", say!(language, desk.key_department)),
        ("[ ]", say!(language, desk.key_page)),
        ("C", say!(language, desk.key_claim)),
        ("W", say!(language, desk.key_whistle)),
        ("N", say!(language, desk.key_note)),
        ("V 1–9", say!(language, desk.key_camera)),
        ("E", say!(language, desk.key_enlarge)),
        ("K", say!(language, desk.key_definition)),
        ("R", say!(language, desk.key_resend)),
        ("Esc", say!(language, desk.key_close)),
        ("?", say!(language, desk.key_help)),
    ]
}
