//! The pages from which worlds beside the city's are opened and driven, by their addresses.
//!
//! What should not be here: the pages themselves (`replay`, `drill`).

use domain::route::Route;
use domain::world::WorldKind;
use leptos::prelude::*;

use crate::page::NotFound;
use crate::{drill, replay, world};

/// Before anything is asked: whatever the page that drives a replay asks, it asks of that replay's world.
pub fn enter() {
    if let Some(Route::Replay { world: Some(replay), .. }) = asked() {
        world::enter(WorldKind::Replay, &replay);
    }
}

/// The page that the address asks for.
pub fn page() -> AnyView {
    match asked() {
        Some(Route::Replay { world: Some(replay), past }) => replay::drive(replay, past),
        Some(Route::Replay { world: None, past }) => replay::choose(Some(past)),
        // Times that cannot be read are said where others can be chosen.
        None => replay::choose(None),
        Some(Route::Drill) => match world::kind() {
            WorldKind::Drill => drill::direct(),
            WorldKind::Live | WorldKind::Demonstration => drill::drills(),
            WorldKind::Replay => NotFound().into_any(),
        },
        Some(
            Route::Home
            | Route::SignIn { .. }
            | Route::Pair
            | Route::Kiosks
            | Route::Wall { .. }
            | Route::Desk { .. }
            | Route::Department { .. },
        ) => NotFound().into_any(),
    }
}

fn asked() -> Option<Route> {
    let location = window().location();
    let address = location.pathname().unwrap_or_default() + &location.search().unwrap_or_default();
    Route::parse(&address).map(|(_, route)| route)
}
