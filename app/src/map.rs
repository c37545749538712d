//! The map as a component: hands cases, cameras, people and the incident to `scripts/map.ts` by way of `scripts/maps.ts`, and brings clicks back.
//!
//! What should be here: the bridge and its types. What should not: drawing (the script's), which cases a screen holds.
//! Lists travel as plain objects, because they change seldom; positions as whole numbers in one typed array.

mod options;
mod mark;
mod legend;
mod settings;
mod words;

pub use mark::{MapCamera, MapCase, MapClick, MapFocus, MapNamed, MapPerson};
pub use options::{Manner, MapOptions, MapPadding, MapSize};
pub use settings::{provide, use_ground};

use domain::code::{AreaCode, CameraCode, CaseId};
use domain::place::Point;
use leptos::html::Div;
use leptos::prelude::*;
use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::api;
use crate::language::use_language;
use crate::once::effect;
use crate::order::Sorted;
use legend::{Key, Legend};
use options::MapSetup;
use words::MapWords;

#[wasm_bindgen(raw_module = "/js/maps.js")]
extern "C" {
    type HallMap;
    fn create(el: &web_sys::Element, options: &JsValue) -> HallMap;
    #[wasm_bindgen(method, js_name = setCases)]
    fn set_cases(this: &HallMap, cases: &JsValue);
    #[wasm_bindgen(method, js_name = setLinked)]
    fn set_linked(this: &HallMap, linked: &JsValue);
    #[wasm_bindgen(method, js_name = setFocus)]
    fn set_focus(this: &HallMap, focus: &JsValue);
    #[wasm_bindgen(method, js_name = setNamed)]
    fn set_named(this: &HallMap, named: &JsValue);
    #[wasm_bindgen(method, js_name = setDistrictCounts)]
    fn set_district_counts(this: &HallMap, counts: &JsValue);
    #[wasm_bindgen(method, js_name = setWords)]
    fn set_words(this: &HallMap, words: &JsValue);
    #[wasm_bindgen(method, js_name = setStaleSeconds)]
    fn set_stale_seconds(this: &HallMap, seconds: u32);
    #[wasm_bindgen(method, js_name = updatePositions)]
    fn update_positions(this: &HallMap, rows: &js_sys::Int32Array);
    #[wasm_bindgen(method, js_name = clearPositions)]
    fn clear_positions(this: &HallMap);
    #[wasm_bindgen(method, js_name = flyTo)]
    fn fly_to(this: &HallMap, lon: f64, lat: f64, span_m: f64);
    #[wasm_bindgen(method)]
    fn destroy(this: &HallMap);
}

/// What the script and the page's lifetime share.
struct Mounted {
    map: HallMap,
    _on_click: Closure<dyn FnMut(String, JsValue)>,
    _on_size: Closure<dyn FnMut(f64, f64) -> JsValue>,
    _on_per_square: Closure<dyn FnMut(u32)>,
}

/// The remote control of a [`MapView`]. Setters called inside an effect run again once the map is there.
#[derive(Clone, Copy)]
pub struct MapHandle {
    mounted: StoredValue<Option<Mounted>, LocalStorage>,
    ready: RwSignal<bool>,
    key: Key,
}

impl MapHandle {
    #[must_use]
    pub fn new() -> Self {
        Self { mounted: StoredValue::new_local(None), ready: RwSignal::new(false), key: Key::new() }
    }

    pub fn set_cases<'a>(&self, cases: impl IntoIterator<Item = &'a MapCase>) {
        #[derive(Serialize)]
        struct Row<'a> {
            id: CaseId,
            lon: f64,
            lat: f64,
            priority: u8,
            area: Option<&'a AreaCode>,
        }
        let row = |case: &'a MapCase| Row {
            id: case.id,
            lon: case.place.lon(),
            lat: case.place.lat(),
            priority: case.priority as u8 + 1,
            area: case.area.as_ref(),
        };
        let rows: Vec<Row<'a>> = cases.into_iter().map(row).collect();
        self.key.count(rows.iter().map(|row| row.priority));
        self.tell(|| rows, HallMap::set_cases);
    }

    /// The cameras of the incident in focus.
    pub fn set_linked<'a>(&self, cameras: impl IntoIterator<Item = &'a MapCamera>) {
        self.tell(|| camera_marks(cameras), HallMap::set_linked);
    }

    pub fn set_focus<'a>(&self, focus: Option<&'a MapFocus>) {
        #[derive(Serialize)]
        struct Spot<'a> {
            lon: f64,
            lat: f64,
            radius_m: f64,
            title: &'a str,
            note: &'a str,
        }
        let spot = |focus: &'a MapFocus| Spot {
            lon: focus.place.lon(),
            lat: focus.place.lat(),
            radius_m: focus.radius_m,
            title: &focus.title,
            note: &focus.note,
        };
        self.tell(|| focus.map(spot), HallMap::set_focus);
    }

    pub fn set_named(&self, named: &[MapNamed]) {
        self.tell(|| named, HallMap::set_named);
    }

    pub fn set_district_counts<'a>(&self, counts: impl IntoIterator<Item = (&'a AreaCode, i64)>) {
        self.tell(|| Sorted::of(counts), HallMap::set_district_counts);
    }

    /// From which age on a position is drawn as out of date.
    pub fn set_stale_seconds(&self, seconds: u32) {
        self.with(|map| map.set_stale_seconds(seconds));
    }

    /// Call with the changes of a tick; the script moves everyone smoothly to the newest place.
    pub fn update_positions(&self, people: impl IntoIterator<Item = MapPerson>) {
        self.mounted.with_value(|mounted| {
            if let Some(Mounted { map, .. }) = mounted {
                let rows: Vec<i32> = people.into_iter().flat_map(MapPerson::row).collect();
                map.update_positions(&js_sys::Int32Array::from(rows.as_slice()));
            }
        });
    }

    pub fn clear_positions(&self) {
        self.with(HallMap::clear_positions);
    }

    /// Centres a place so that `span_m` metres fit across the smaller side.
    pub fn fly_to(&self, place: Point, span_m: f64) {
        self.with(|map| map.fly_to(place.lon(), place.lat(), span_m));
    }

    /// Whether the map can be told something; positions told before are lost.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.ready.get()
    }

    fn with(&self, act: impl FnOnce(&HallMap)) {
        self.ready.track();
        self.mounted.with_value(|mounted| {
            if let Some(Mounted { map, .. }) = mounted {
                act(map);
            }
        });
    }

    fn tell<T: Serialize>(&self, value: impl FnOnce() -> T, act: impl FnOnce(&HallMap, &JsValue)) {
        self.with(|map| act(map, &to_js(&value())));
    }
}

impl Default for MapHandle {
    fn default() -> Self {
        Self::new()
    }
}

/// A camera as the map script is told of it.
#[derive(Serialize)]
struct CameraMark<'a> {
    code: &'a CameraCode,
    number: u32,
    lon: f64,
    lat: f64,
    bearing: Option<f32>,
    view: f32,
    state: &'static str,
}

fn camera_marks<'a>(cameras: impl IntoIterator<Item = &'a MapCamera>) -> Vec<CameraMark<'a>> {
    let row = |camera: &'a MapCamera| CameraMark {
        code: &camera.code,
        number: camera.number,
        lon: camera.place.lon(),
        lat: camera.place.lat(),
        bearing: camera.bearing_deg,
        view: camera.view_deg,
        state: camera.state,
    };
    cameras.into_iter().map(row).collect()
}

fn to_js(value: &impl Serialize) -> JsValue {
    api::to_js(value).expect("lists of numbers and words are always JSON")
}

fn set(options: &JsValue, name: &str, value: &JsValue) {
    js_sys::Reflect::set(options, &JsValue::from_str(name), value).expect("a fresh object takes a property");
}

/// The map. It fills its parent; `handle` tells it what to show. It appears when the page knows its ground.
#[component]
pub fn MapView(
    handle: MapHandle,
    manner: Manner,
    /// Called with what was clicked.
    #[prop(optional)]
    on_click: Option<Callback<MapClick>>,
) -> impl IntoView {
    let (node, above) = (NodeRef::<Div>::new(), NodeRef::<Div>::new());
    let (ground, key) = (use_ground(), handle.key);
    effect(move || {
        let (Some(element), Some(legend)) = (node.get(), above.get()) else { return };
        if handle.mounted.with_value(Option::is_some) {
            return;
        }
        let Some(js_options) = ground.with(|ground| to_js(&MapSetup::of(ground))) else { return };
        let on_size = Closure::<dyn FnMut(f64, f64) -> JsValue>::new(move |width, rem| {
            let options = manner(MapSize { width, rem });
            key.follow(&options);
            to_js(&options)
        });
        set(&js_options, "onSize", on_size.as_ref());
        let on_per_square = Closure::<dyn FnMut(u32)>::new(move |per| key.per_square.set(per));
        set(&js_options, "onPerSquare", on_per_square.as_ref());
        set(&js_options, "legend", legend.as_ref());
        let closure = Closure::<dyn FnMut(String, JsValue)>::new(move |kind: String, id: JsValue| {
            if let (Some(call), Some(click)) = (on_click, MapClick::read(&kind, id)) {
                call.run(click);
            }
        });
        if on_click.is_some() {
            set(&js_options, "onClick", closure.as_ref());
        }
        let map = create(&element, &js_options);
        handle.mounted.set_value(Some(Mounted {
            map,
            _on_click: closure,
            _on_size: on_size,
            _on_per_square: on_per_square,
        }));
        handle.ready.set(true);
    });
    let speaks = use_language();
    effect(move || {
        let words = MapWords::of(speaks.get());
        handle.tell(|| words, HallMap::set_words);
    });
    on_cleanup(move || {
        // The owner of the handle may have gone first.
        let gone = handle.mounted.try_update_value(Option::take).flatten();
        if let Some(Mounted { map, .. }) = gone {
            map.destroy();
        }
        handle.ready.try_set(false);
    });
    // A map that can be moved stands beside the list it counts.
    let asks = on_click.filter(|_| !manner(MapSize { width: 0.0, rem: 1.0 }).interactive);
    view! {
        <div class="map-frame"><div class="map-view" node_ref=node></div><Legend key node=above asks/></div>
    }
}
