//! A camera's picture on a page: the tile and its binding to the player in `public/js/player.js`, which
//! `public/js/tiles.js` loads.
//!
//! What should be here: mounting a tile, hearing its state, putting words and shape around the picture. What should
//! not: sockets, decoding and painting (the player's), and which cameras a screen shows (the screen's).

mod shape;
pub mod state;
pub mod words;

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use domain::moment::UtcOffset;
use domain::rejection::Language;
use leptos::html::Div;
use leptos::prelude::*;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::api::from_js;
use state::Told;
use words::state_words;

/// The player, called as it stands: `public/js/player.js` says what each does.
mod js {
    use super::wasm_bindgen;

    #[wasm_bindgen(raw_module = "/js/tiles.js")]
    extern "C" {
        pub fn attach(element: &web_sys::Element, camera: &str, profile: &str) -> u16;

        pub fn detach(tile: u16);

        #[wasm_bindgen(js_name = serverTime)]
        pub fn server_time(us: f64);
    }
}

/// Tells the player the server's clock, as the live feed's heartbeat gives it. Delays stay true on pages open for weeks.
pub fn server_time(unix_us: i64) {
    js::server_time(unix_us as f64);
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
) -> impl IntoView {
    let told = RwSignal::new(Told::default());
    let picture = NodeRef::<Div>::new();
    mount(picture, code, main);

    let words = Memo::new(move |_| told.with(|told| state_words(language.get(), told, offset)));
    let state = Memo::new(move |_| told.with(|told| told.shown.state()));
    let hear = move |event: web_sys::Event| {
        if let Some(news) = self::told(&event) {
            told.set(news);
        }
    };
    view! {
        <figure class="camera-tile" class:main=main data-theme="hall-dark" data-state=move || state.get().name()>
            <div class="camera-view" on:camerastate=hear>
                <div class="camera-picture" node_ref=picture></div>
                {move || words.get().over.map(|over| view! {
                    <div class="camera-say">
                        <strong>{shape::of(state.get())}{over.title}</strong>
                        <small>{over.detail}</small>
                    </div>
                })}
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
fn mount(picture: NodeRef<Div>, code: String, main: bool) {
    let tile = Arc::new(AtomicU16::new(0));
    let attached = Arc::clone(&tile);
    Effect::new(move |_| {
        if let Some(element) = picture.get() {
            let profile = if main { "main" } else { "auto" };
            attached.store(js::attach(&element, &code, profile), Ordering::Relaxed);
        }
    });
    on_cleanup(move || {
        let tile = tile.swap(0, Ordering::Relaxed);
        if tile != 0 {
            js::detach(tile);
        }
    });
}

/// What a `camerastate` event says.
pub fn told(event: &web_sys::Event) -> Option<Told> {
    let text = js_sys::Reflect::get(event, &JsValue::from_str("detail")).ok()?.as_string()?;
    Told::of(from_js(js_sys::JSON::parse(&text).ok()?).ok()?)
}
