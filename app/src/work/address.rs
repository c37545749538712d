//! The page's address as a signal: a seat moves within itself without loading anything.
//!
//! What should be here: reading the address, going to another, links and the browser's back button. What should not:
//! what an address means (`domain::route`, `desk::filters`).

use domain::code::CaseId;
use leptos::ev::MouseEvent;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::JsValue;

use super::hand::{ROWS, focus};
use crate::world::base;

/// The case of an address of the seat in the world whose addresses begin with the first text; none where it is no such address.
pub type CaseOf = fn(&str, &str) -> Option<Option<CaseId>>;

/// Where the page is, as `/desk/case/7?open=true`.
#[derive(Clone, Copy)]
pub struct Address(RwSignal<String>, CaseOf);

impl Address {
    /// Follows the browser's own moves, and takes clicks on links within the seat, for as long as the seat is shown.
    pub fn follow(case_of: CaseOf) -> Self {
        let address = Self(RwSignal::new(present()), case_of);
        let moved = window_event_listener(leptos::ev::popstate, move |_| address.0.set(present()));
        let clicked = window_event_listener(leptos::ev::click, move |event| {
            if let Some(to) = own_link(&event, case_of) {
                event.prevent_default();
                address.go(&to, false);
                if drops_itself(&event) {
                    set_timeout(|| _ = focus(ROWS), std::time::Duration::ZERO);
                }
            }
        });
        on_cleanup(move || {
            moved.remove();
            clicked.remove();
        });
        address
    }

    /// Tracked: the case it opens.
    pub fn case(self) -> Option<CaseId> {
        self.0.with(|address| (self.1)(&base(), address)).flatten()
    }

    /// Tracked: the query's parameters.
    pub fn query(self) -> Option<web_sys::UrlSearchParams> {
        let query = self.0.with(|address| address.split_once('?').map(|(_, query)| query.to_owned()));
        web_sys::UrlSearchParams::new_with_str(query.as_deref().unwrap_or_default()).ok()
    }

    /// Shows another address of the seat. Going where the page already is leaves no second step in its history.
    pub fn go(self, to: &str, replace: bool) {
        let Ok(history) = window().history() else { return };
        let told = if replace {
            history.replace_state_with_url(&JsValue::UNDEFINED, "", Some(to))
        } else if self.0.with_untracked(|here| here != to) {
            history.push_state_with_url(&JsValue::UNDEFINED, "", Some(to))
        } else {
            Ok(())
        };
        // A browser that refuses (too many steps at once) shows the old address over the right page.
        if told.is_err() {
            leptos::logging::warn!("the browser did not take the address {to}");
        }
        self.0.set(to.to_owned());
    }
}

fn present() -> String {
    let location = window().location();
    location.pathname().unwrap_or_default() + &location.search().unwrap_or_default()
}

/// The address of a link within the seat that a plain click asks for.
fn own_link(event: &MouseEvent, case_of: CaseOf) -> Option<String> {
    let plain = event.button() == 0
        && !(event.default_prevented()
            || event.meta_key()
            || event.alt_key()
            || event.ctrl_key()
            || event.shift_key());
    let target = event.target().filter(|_| plain)?.dyn_into::<web_sys::Element>().ok()?;
    let link = target.closest("a[href]").ok().flatten()?;
    let elsewhere = ["target", "download"].iter().any(|name| link.has_attribute(name));
    let href = link.get_attribute("href").filter(|_| !elsewhere)?;
    // Links to other pages are ordinary loads.
    case_of(&base(), &href).is_some().then_some(href)
}

/// A link that goes with the filter it drops leaves the hand at the list.
fn drops_itself(event: &MouseEvent) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    target.is_some_and(|target| target.closest(".chip, .clear").is_ok_and(|link| link.is_some()))
}
