//! Around the case: the map with its circle, the linked cameras in the order in which they see the spot.

use leptos::prelude::*;

use super::camera::{CameraList, Tiles};
use super::file::Cameras;
use super::use_desk;
use crate::language::use_language;
use crate::map::{MapCamera, MapClick, MapFocus, MapHandle, MapOptions, MapPadding, MapView};
use crate::names::use_names;
use crate::words::say;

/// The circle around the case.
const CIRCLE_M: f64 = 150.0;
/// Metres across the map.
const SPAN_M: f64 = 520.0;

#[component]
pub fn Around() -> impl IntoView {
    let (speaks, desk) = (use_language(), use_desk());
    let place = Memo::new(move |_| desk.file.with(|answer| answer.case.report.place));
    let near = move || match desk.file.cameras.get() {
        Cameras::Near(near) => near.iter().filter(|near| near.distance_m <= CIRCLE_M).count(),
        Cameras::Asking | Cameras::Failed(_) => 0,
    };
    let meta = move || say!(speaks.get(), desk.around_count, cameras = near());
    view! {
        <Show
            when=move || place.get().is_some()
            fallback=move || view! { <p class="no-place">{move || say!(speaks.get(), desk.no_place)}</p> }
        >
            <div class="hd"><h3>{move || say!(speaks.get(), desk.around)}</h3><span class="meta">{meta}</span></div>
            <div class="around"><Crop/><CameraList/></div>
            <Tiles/>
        </Show>
    }
}

#[component]
fn Crop() -> impl IntoView {
    let (desk, names, speaks) = (use_desk(), use_names(), use_language());
    let map = MapHandle::new();
    let file = desk.file;
    Effect::new(move |_| {
        let title =
            names.with(|names| file.with(|answer| names.class(speaks.get(), &answer.case.report.class)));
        let focus = file.with(|answer| {
            let place = answer.case.report.place?;
            Some(MapFocus { place, radius_m: CIRCLE_M, title: String::new(), note: title, target: true })
        });
        map.set_focus(focus.as_ref());
        if let Some(focus) = focus {
            map.fly_to(focus.place, SPAN_M);
        }
    });
    Effect::new(move |_| {
        let (Cameras::Near(near), watched) = (file.cameras.get(), file.watched.get()) else { return };
        let marks: Vec<MapCamera> = near
            .iter()
            .enumerate()
            .filter_map(|(index, near)| {
                Some(MapCamera {
                    code: near.camera.code.clone(),
                    place: near.camera.place?,
                    bearing_deg: near.camera.bearing_deg,
                    view_deg: near.camera.view_deg,
                    number: index as u32 + 1,
                    state: if watched.contains(&index) { "live" } else { "idle" },
                })
            })
            .collect();
        map.set_linked(&marks);
    });
    let on_click = Callback::new(move |click| {
        let MapClick::Camera(code) = click else { return };
        let Cameras::Near(near) = file.cameras.get_untracked() else { return };
        if let Some(index) = near.iter().position(|near| near.camera.code == code) {
            file.toggle_camera(index);
        }
    });
    let options = MapOptions {
        interactive: true,
        font_px: 13.0,
        padding: MapPadding { top: 8.0, right: 8.0, bottom: 8.0, left: 8.0 },
        ..MapOptions::default()
    };
    view! { <div class="crop"><MapView handle=map options=options on_click=on_click/></div> }
}
