//! The pages that are not a screen of the hall (the door: start, sign-in, pairing of walls), not found; and what all
//! pages ask of the address.

mod home;
mod sign_in;
mod pair;
mod kiosks;

use domain::route::{self, Route};
use leptos::prelude::*;

pub use home::{NotFound, Switches};

/// The page of the door that the address asks for.
pub fn door() -> AnyView {
    let path = window().location().pathname().unwrap_or_default();
    match Route::parse(&path) {
        Some((None, Route::Home)) => home::Home().into_any(),
        Some((None, Route::SignIn { .. })) => sign_in::SignIn().into_any(),
        Some((None, Route::Pair)) => pair::Pair().into_any(),
        Some((None, Route::Kiosks)) => kiosks::Kiosks().into_any(),
        // Pages of other programmes: the server says that there is no such wall, case or world.
        Some((
            _,
            Route::Wall { .. }
            | Route::Desk { .. }
            | Route::Department { .. }
            | Route::Replay { .. }
            | Route::Drill,
        ))
        | Some((Some(_), _))
        | None => NotFound().into_any(),
    }
}

/// Which build of the screens this page is of, as its file says; empty where it does not.
pub fn build() -> String {
    crate::world::told("data-build")
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
        let _ = location.assign(route::PAIR);
        return;
    }
    let here = location.pathname().unwrap_or_default() + &location.search().unwrap_or_default();
    // Without navigation the page stays and its connection mark keeps saying that nobody is signed in.
    let _ = location.assign(&route::sign_in(&here));
}
