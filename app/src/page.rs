//! The pages that are not a screen of the hall (the door: start, sign-in, pairing of walls), not found; and what all
//! pages ask of the address.

mod home;
mod sign_in;
mod pair;
mod kiosks;

use leptos::prelude::*;

pub use home::{NotFound, Switches};

/// The page of the door that the address asks for.
pub fn door() -> AnyView {
    let path = window().location().pathname().unwrap_or_default();
    match path.trim_end_matches('/') {
        "" => home::Home().into_any(),
        "/sign-in" => sign_in::SignIn().into_any(),
        "/pair" => pair::Pair().into_any(),
        "/kiosks" => kiosks::Kiosks().into_any(),
        _ => NotFound().into_any(),
    }
}

/// Which build of the screens this page is of, as its file says; empty where it does not.
pub fn build() -> String {
    let root = document().document_element();
    root.and_then(|root| root.get_attribute("data-build")).unwrap_or_default()
}

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
