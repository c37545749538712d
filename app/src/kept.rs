//! What this browser keeps for its screens from one page to the next: choices of a seat, and for one tab what is being written in
//! it; never a secret.
//!
//! What should not be here: what is kept under which key (with whoever keeps it).

use leptos::prelude::window;

/// What is kept under `key`; nothing where the browser keeps nothing.
// Out of line, as is `keep`: both are called from several places of each programme.
#[inline(never)]
pub fn read(key: &str) -> Option<String> {
    storage()?.get_item(key).ok().flatten()
}

/// Keeps `value` under `key`, or forgets what was there. A browser without storage forgets at the next page, nothing more.
#[inline(never)]
pub fn keep(key: &str, value: Option<&str>) {
    if let Some(storage) = storage() {
        let _ = match value {
            Some(value) => storage.set_item(key, value),
            None => storage.remove_item(key),
        };
    }
}

/// What this tab keeps under `key` until it is closed.
pub fn read_here(key: &str) -> Option<String> {
    window().session_storage().ok().flatten()?.get_item(key).ok().flatten()
}

/// As `keep`, for this tab.
pub fn keep_here(key: &str, value: &str) {
    if let Some(storage) = window().session_storage().ok().flatten() {
        let _ = storage.set_item(key, value);
    }
}

fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok().flatten()
}
