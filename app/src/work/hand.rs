//! Where the user's hand is: which element the next key is heard by, and how it keeps its place where rows come and go.
//!
//! What should not be here: what a key does (the seats' own `keys`).

use domain::code::CaseId;
use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

use crate::kept;

/// Where the browser keeps that keys without a modifier are off.
const OFF_KEY: &str = "gridhall.keys-off";

/// Whether letters, digits and signs are keys on this seat (WCAG 2.1.4): whoever dictates, or types with a shaking hand, turns them
/// off, and keeps the arrows, Enter and Esc.
pub fn letters() -> RwSignal<bool> {
    RwSignal::new(kept::read(OFF_KEY).is_none())
}

/// Switches them, for this browser.
pub fn switch_letters(letters: RwSignal<bool>, on: bool) {
    letters.set(on);
    kept::keep(OFF_KEY, (!on).then_some("1"));
}

/// The element the rows of a seat's list are in.
pub const ROWS: &str = "desk-rows";

/// The element of a case's row.
pub fn row_id(id: CaseId) -> String {
    format!("case-{id}")
}

/// A check box or a radio button is no field that one types in.
pub fn types_here(event: &KeyboardEvent) -> bool {
    is_on(event, "input:not([type=checkbox]):not([type=radio]), textarea, select")
}

pub fn is_on(event: &KeyboardEvent, selector: &str) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    target.is_some_and(|element| element.matches(selector).unwrap_or(false))
}

fn element(id: &str) -> Option<web_sys::HtmlElement> {
    document().get_element_by_id(id)?.dyn_into().ok()
}

pub fn focus(id: &str) -> bool {
    element(id).is_some_and(|element| element.focus().is_ok())
}

/// Into a field, where it is there.
pub fn go_to(field: NodeRef<html::Input>) -> bool {
    field.get_untracked().is_some_and(|field| field.focus().is_ok())
}

pub fn blur() {
    if let Some(element) =
        document().active_element().and_then(|active| active.dyn_into::<web_sys::HtmlElement>().ok())
    {
        // An element that cannot lose the focus keeps it; the next key is then typed there.
        let _ = element.blur();
    }
}

/// The hand on a row, which brings it into view. One far off the screen is drawn first: it is there once the effects have run.
pub fn focus_row(selected: RwSignal<Option<CaseId>>, id: CaseId) {
    if focus(&row_id(id)) {
        return;
    }
    let later = move || {
        // Another key may have moved the hand on meanwhile: the focus of this row would take it back.
        if selected.try_get_untracked() == Some(Some(id)) {
            focus(&row_id(id));
        }
    };
    set_timeout(later, std::time::Duration::ZERO);
}

/// After Enter in a field the hand is back at the list: at its row there, else at the list itself.
pub fn leave_field(selected: RwSignal<Option<CaseId>>) {
    blur();
    let row = selected.get_untracked().map(row_id);
    if !row.is_some_and(|row| focus(&row)) {
        focus(ROWS);
    }
}

/// Does what lays the rows out anew. The hand stays on its row, or at the list where the row has gone: an element that is
/// replaced takes the focus with it, and the next key would be heard by nobody.
pub fn keep_hand(lay_out: impl FnOnce()) {
    let held = document().active_element().filter(|on| on.matches(".case-row").unwrap_or(false));
    lay_out();
    let Some(row) = held.map(|on| on.id()) else { return };
    // The new rows are there once the effects have run. Whoever has gone elsewhere meanwhile is left there.
    let back = move || {
        if is_lost() && !focus(&row) {
            focus(ROWS);
        }
    };
    set_timeout(back, std::time::Duration::ZERO);
}

/// A row that is made anew in the place of the one under the hand takes the hand up again, once it is there.
pub fn take_up(id: String, is_chosen: impl Fn() -> bool + 'static) {
    let again = move || {
        if is_chosen() && is_lost() {
            focus(&id);
        }
    };
    set_timeout(again, std::time::Duration::ZERO);
}

/// Whether what had the focus has gone.
fn is_lost() -> bool {
    document().active_element().is_none_or(|on| on.matches("body").unwrap_or(false))
}
