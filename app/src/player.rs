//! A camera's picture on a page: the tile and its binding to the player in `scripts/player.ts`, which
//! `scripts/tiles.ts` loads.
//!
//! What should be here: mounting a tile, handing the player's facts to `domain::video` and its rules back, putting words
//! and shape around the picture. What should not: which state holds (`domain::video`), sockets, decoding and painting (the
//! player's), and which cameras a screen shows (the screen's).

mod shape;
mod words;

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use domain::moment::{UtcMillis, UtcOffset};
use domain::rejection::Language;
use domain::stream::State;
use domain::video::{Facts, Rule, Tile, Told};
use leptos::html::Div;
use leptos::prelude::*;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::api::from_js;
use crate::hall::{monotonic_ms, use_hall};
use crate::once::{anew, effect, memo};
use words::state_words;

/// The player, called as it stands: `scripts/player.ts` says what each does.
mod js {
    use super::wasm_bindgen;

    #[wasm_bindgen(raw_module = "/js/tiles.js")]
    extern "C" {
        pub fn attach(element: &web_sys::Element, camera: &str, profile: &str) -> u16;

        pub fn detach(tile: u16);

        pub fn rule(tile: u16, show: bool, snapshot: bool, standing_after_ms: u32);

        #[wasm_bindgen(js_name = serverTime)]
        pub fn server_time(us: f64);
    }
}

/// Tells the player the server's clock, as the live feed's heartbeat gives it. Delays stay true on pages open for weeks.
pub fn server_time(server: UtcMillis) {
    js::server_time(server.0 as f64 * 1_000.0);
}

/// One camera: picture, number, name, state. Sizes come from `--camera-type` and `--camera-bar` (`style/player.css`).
#[component]
pub fn CameraTile(
    /// The registry's code of the camera.
    code: String,
    /// The number by which the tile is called on this screen; 0 for none.
    number: u8,
    /// 摄像机名称.
    name: String,
    /// Language of the words.
    #[prop(into)]
    language: Signal<Language>,
    /// The tile in focus: always the main stream.
    #[prop(optional)]
    main: bool,
    /// Times are told at this offset.
    #[prop(optional)]
    offset: UtcOffset,
    /// Hears each state that is another than the one before.
    #[prop(optional)]
    on_state: Option<Callback<State>>,
) -> impl IntoView {
    let told = RwSignal::new(Told::default());
    let picture = NodeRef::<Div>::new();
    let number_there = mount(picture, code, main);
    let tile = StoredValue::new(Tile::default());
    let ruled = StoredValue::new(Rule::default());
    let decide = move || {
        let (says, rule) = tile.with_value(|tile| tile.decide(monotonic_ms() as u64));
        if told.with_untracked(|told| *told != says) {
            told.set(says);
        }
        if ruled.get_value() != rule {
            ruled.set_value(rule);
            number_there.with_value(|there| {
                js::rule(there.load(Ordering::Relaxed), rule.show, rule.snapshot, rule.standing_after_ms);
            });
        }
    };
    // What a tile says changes with time as well: a wait grows, a server stays away.
    let hall = use_hall();
    effect(move || {
        hall.now();
        decide();
    });

    let words = memo(move || told.with(|told| state_words(language.get(), told, offset)));
    let state = memo(move || told.with(|told| told.shown.state()));
    if let Some(on_state) = on_state {
        effect(move || on_state.run(state.get()));
    }
    let hear = move |event: web_sys::Event| {
        if let Some(facts) = facts(&event) {
            tile.update_value(|tile| tile.hear(facts, monotonic_ms() as u64));
            decide();
        }
    };
    view! {
        <figure class="camera-tile" class:main=main data-theme="hall-dark" data-state=move || state.get().name()>
            <div class="camera-view" on:camerafacts=hear>
                <div class="camera-picture" node_ref=picture></div>
                {anew(move || words.get().over.map(|over| view! {
                    <div class="camera-say">
                        <strong>{shape::of(state.get())}{over.title}</strong>
                        <small>{over.detail}</small>
                    </div>
                }))}
            </div>
            <figcaption class="camera-bar" title=move || words.get().tooltip>
                {(number > 0).then(|| view! { <span class="camera-number">{number}</span> })}
                <span class="camera-name">{name}</span>
                <span class="camera-state">
                    {move || shape::of(state.get())}
                    <span>{move || words.get().bar}</span>
                </span>
            </figcaption>
        </figure>
    }
}

/// Hands the element to the player for as long as the tile lives.
fn mount(picture: NodeRef<Div>, code: String, main: bool) -> StoredValue<Arc<AtomicU16>> {
    let tile = Arc::new(AtomicU16::new(0));
    let attached = Arc::clone(&tile);
    effect(move || {
        if let Some(element) = picture.get() {
            let profile = if main { "main" } else { "auto" };
            attached.store(js::attach(&element, &code, profile), Ordering::Relaxed);
        }
    });
    let there = StoredValue::new(Arc::clone(&tile));
    on_cleanup(move || {
        let tile = tile.swap(0, Ordering::Relaxed);
        if tile != 0 {
            js::detach(tile);
        }
    });
    there
}

/// What a `camerafacts` event brings.
fn facts(event: &web_sys::Event) -> Option<Facts> {
    from_js(js_sys::Reflect::get(event, &JsValue::from_str("detail")).ok()?).ok()
}
