//! The pages that are not a screen of the hall: start, sign-in, not found; and what all pages ask of the address.

mod home;
mod sign_in;

use leptos::prelude::*;

pub use home::{Home, NotFound, Switches};
pub use sign_in::SignIn;

/// A parameter of the page's address.
pub fn query(name: &str) -> Option<String> {
    let search = window().location().search().ok()?;
    web_sys::UrlSearchParams::new_with_str(&search).ok()?.get(name)
}

/// Leaves for the sign-in page, which comes back here.
pub fn go_to_sign_in() {
    let location = window().location();
    let here = location.pathname().unwrap_or_default() + &location.search().unwrap_or_default();
    let back = String::from(js_sys::encode_uri_component(&here));
    // Without navigation the page stays and its connection mark keeps saying that nobody is signed in.
    let _ = location.assign(&format!("/sign-in?then={back}"));
}
