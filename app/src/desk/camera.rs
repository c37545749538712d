//! Linked cameras: the list beside the map and the pictures that are open. One click or `V` and its digit opens one.

use domain::camera::Camera;
use leptos::html::Div;
use leptos::prelude::*;

use super::file::Cameras;
use super::use_desk;
use crate::language::use_language;
use crate::linked::NearCamera;
use crate::names::use_names;
use crate::once::{CollectRows, anew, effect, listed, memo, shown};
use crate::player::CameraTile;
use crate::text;
use crate::words::{Language, say, says};

#[component]
pub fn CameraList() -> impl IntoView {
    let (speaks, desk) = (use_language(), use_desk());
    let file = desk.file;
    let line = move |(index, near): (usize, NearCamera)| {
        let open = move || file.watched.with(|watched| watched.contains(&index));
        let look = look(speaks.get(), &near);
        let word = move || {
            if open() { say!(speaks.get(), desk.shut_camera) } else { say!(speaks.get(), desk.open_camera) }
        };
        let distance = format!("{} m", text::fixed(near.distance_m, 0));
        view! {
            <li><button type="button" class:sees=near.sees aria-pressed=move || open().to_string() on:click=move |_| file.toggle_camera(index)>
                <i class="pin" class:on=open>{index + 1}</i><b>{near.camera.name.clone()}</b><span>{look}</span><em>{distance}</em><span class="age">{anew(word)}</span>
            </button></li>
        }
    };
    let content = move || {
        match file.cameras.get() {
        Cameras::Asking => view! { <li class="note">{say!(speaks.get(), desk.loading)}</li> }.into_any(),
        Cameras::Failed(error) => {
            view! { <li class="note stale">{say!(speaks.get(), desk.cameras_failed, words = error.words(speaks.get()))}</li> }
                .into_any()
        }
        Cameras::Near(near) if near.is_empty() => {
            view! { <li class="note">{say!(speaks.get(), desk.no_cameras)}</li> }.into_any()
        }
        Cameras::Near(near) => near.into_iter().enumerate().map(line).collect_rows().into_any(),
    }
    };
    view! { <ul class="near" aria-label=says!(speaks, desk.cameras)>{anew(content)}</ul> }
}

/// Whether the spot lies in the view, else where the camera looks.
fn look(language: Language, near: &NearCamera) -> String {
    match (near.sees, near.camera.bearing_deg) {
        (true, _) | (false, None) => say!(language, desk.sees),
        (false, Some(bearing)) => say!(language, desk.looks, direction = direction(language, bearing)),
    }
}

fn direction(language: Language, bearing_deg: f32) -> String {
    match ((bearing_deg.rem_euclid(360.0) + 22.5) / 45.0) as u32 % 8 {
        0 => say!(language, desk.north),
        1 => say!(language, desk.north_east),
        2 => say!(language, desk.east),
        3 => say!(language, desk.south_east),
        4 => say!(language, desk.south),
        5 => say!(language, desk.south_west),
        6 => say!(language, desk.west),
        _ => say!(language, desk.north_west),
    }
}

/// The open pictures, live inside the incident; the next closed ones stand beside them as buttons.
#[component]
pub fn Tiles() -> impl IntoView {
    let (speaks, desk) = (use_language(), use_desk());
    let file = desk.file;
    let all = memo(move || match file.cameras.get() {
        Cameras::Near(near) => near.into_iter().map(|near| near.camera).collect::<Vec<_>>(),
        Cameras::Asking | Cameras::Failed(_) => Vec::new(),
    });
    // Three places at least, so that a click finds the second and third where it expects them.
    let drawn = memo(move || {
        let watched = file.watched.get();
        let count = all.with(Vec::len);
        (0..count).filter(|index| *index < 3 || watched.contains(index)).collect::<Vec<usize>>()
    });
    let order = move || {
        let open =
            file.watched.with(|watched| watched.iter().filter(|index| **index < all.with(Vec::len)).count());
        say!(speaks.get(), desk.cameras_order, open = open, all = all.with(Vec::len))
    };
    let some = move || all.with(|all| !all.is_empty());
    let camera = move |index: usize| all.with(|all| all.get(index).cloned());
    view! {
        {shown(some, move || view! {
            <div class="hd"><h3>{says!(speaks, desk.cameras)}</h3><span class="meta">{anew(order)}</span>
                <span class="keys"><span><kbd>"V"</kbd><kbd>"1–9"</kbd>{says!(speaks, desk.key_camera)}</span><span><kbd>"E"</kbd>{says!(speaks, desk.key_enlarge)}</span></span></div>
            <div class="tiles" class:one-large=move || file.enlarged.get().is_some()>
                {listed(move || drawn.get(), |index| (*index as u64, 0), move |index| anew(move || camera(index).map(|camera| view! { <Slot index camera/> })))}
            </div>
        })}
    }
}

#[component]
fn Slot(index: usize, camera: Camera) -> impl IntoView {
    let (speaks, desk, names) = (use_language(), use_desk(), use_names());
    let file = desk.file;
    let open = memo(move || file.watched.with(|watched| watched.contains(&index)));
    let large = memo(move || file.enlarged.get() == Some(index));
    let name = camera.name.clone();
    let content = move || {
        let (code, name) = (camera.code.to_string(), camera.name.clone());
        let number = index as u8 + 1;
        match open.get() {
            true => {
                let offset = untrack(|| names.with(|names| names.policy.utc_offset_minutes));
                let language = Signal::derive(move || speaks.get());
                view! { <CameraTile code number name language main=large.get() offset/> }.into_any()
            }
            false => view! { <button type="button" class="closed-tile" on:click=move |_| file.toggle_camera(index)><i class="pin">{number}</i><b>{name}</b><span>{say!(speaks.get(), desk.open_camera)}</span></button> }.into_any(),
        }
    };
    let enlarge = move |_| file.enlarge(Some(index));
    let place = NodeRef::<Div>::new();
    effect(move || {
        if large.get() {
            // After it has grown: a picture out of sight is paused.
            request_animation_frame(move || {
                if let Some(place) = place.try_get_untracked().flatten() {
                    place.scroll_into_view_with_bool(false);
                }
            });
        }
    });
    let buttons = move || {
        open.get().then(|| {
            view! {
                <span class="tile-tools">
                    <button type="button" on:click=enlarge aria-label=format!("{} {name}", say!(speaks.get(), desk.key_enlarge))>"⤢"</button>
                    <button type="button" on:click=move |_| file.toggle_camera(index) aria-label=format!("{} {name}", say!(speaks.get(), desk.shut_camera))>"×"</button>
                </span>
            }
        })
    };
    view! { <div class="slot" node_ref=place class:large=move || large.get() data-camera=index + 1>{anew(content)}{buttons}</div> }
}
