//! A tile's state as a shape: told apart without colour, at 13 px as on a wall.

use domain::stream::State;
use leptos::prelude::*;

/// The shape of a state, sixteen units square, filled by the even-odd rule.
pub fn of(state: State) -> impl IntoView {
    view! {
        <svg class="camera-shape" viewBox="0 0 16 16" aria-hidden="true">
            <path fill-rule="evenodd" d=outline(state)></path>
        </svg>
    }
}

fn outline(state: State) -> &'static str {
    match state {
        // A broken ring.
        State::Connecting => {
            "M8.9 1.2a6.8 6.8 0 0 1 4.6 2.7l-1.6 1.2a4.8 4.8 0 0 0-3.3-1.9zM14.5 6a6.8 6.8 0 0 1-.6 5.3l-1.7-1a4.8 4.8 0 0 0 \
             .4-3.8zM12.4 13.2a6.8 6.8 0 0 1-5.1 1.6l.2-2a4.8 4.8 0 0 0 3.6-1.1zM5 14.1a6.8 6.8 0 0 1-3.2-4.2l1.9-.5A4.8 \
             4.8 0 0 0 6 12.4zM1.2 7.6a6.8 6.8 0 0 1 2.2-4.7l1.4 1.5A4.8 4.8 0 0 0 3.2 7.7z"
        }
        // A filled dot.
        State::Live => "M8 2.6a5.4 5.4 0 1 0 0 10.8A5.4 5.4 0 0 0 8 2.6z",
        // A ring, half full.
        State::Delayed => "M8 1.2a6.8 6.8 0 1 0 0 13.6A6.8 6.8 0 0 0 8 1.2zm0 2a4.8 4.8 0 0 0 0 9.6z",
        // A cross.
        State::Lost => {
            "M3.7 2.1 8 6.4l4.3-4.3 1.6 1.6L9.6 8l4.3 4.3-1.6 1.6L8 9.6l-4.3 4.3-1.6-1.6L6.4 8 2.1 3.7z"
        }
        // A ring with a bar.
        State::Refused => {
            "M8 1.2a6.8 6.8 0 1 0 0 13.6A6.8 6.8 0 0 0 8 1.2zm0 2a4.8 4.8 0 1 1 0 9.6 4.8 4.8 0 0 1 0-9.6zM4.6 6.9h6.8v2.2H4.6z"
        }
        // A crossed square.
        State::Unsupported => {
            "M1.5 1.5h13v13h-13zm1.9 1.9v9.2h9.2V3.4zM5.2 4.2 8 7l2.8-2.8 1 1L9 8l2.8 2.8-1 1L8 9l-2.8 2.8-1-1L7 8 4.2 5.2z"
        }
        // Two frames.
        State::KeyFrames => "M.6 3.8h10.6v10.6H.6zm1.8 1.8v7h7v-7zM4.6 1h10.6v10.4h-1.8V2.8H4.6z",
        // An empty diamond.
        State::Gone => "M8 .8 15.2 8 8 15.2.8 8zm0 2.8L3.6 8 8 12.4 12.4 8z",
    }
}
