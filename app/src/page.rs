//! The pages that are not a screen of the hall: start, sign-in, pairing of walls, not found; and what all pages ask of
//! the address.

mod home;
mod sign_in;
mod pair;
mod kiosks;

use leptos::prelude::*;

pub use home::{Home, NotFound, Switches};
pub use kiosks::Kiosks;
pub use pair::Pair;
pub use sign_in::SignIn;

/// A parameter of the page's address.
pub fn query(name: &str) -> Option<String> {
    let search = window().location().search().ok()?;
    web_sys::UrlSearchParams::new_with_str(&search).ok()?.get(name)
}

/// Leaves for the sign-in page, which comes back here. A paired wall, where nobody can sign in, leaves for `/pair`.
pub fn go_to_sign_in() {
    let location = window().location();
    if crate::kiosk::paired_wall().is_some() {
        let _ = location.assign("/pair");
        return;
    }
    let here = location.pathname().unwrap_or_default() + &location.search().unwrap_or_default();
    let back = String::from(js_sys::encode_uri_component(&here));
    // Without navigation the page stays and its connection mark keeps saying that nobody is signed in.
    let _ = location.assign(&format!("/sign-in?then={back}"));
}
