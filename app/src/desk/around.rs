//! Around the case: the map with its circle, the linked cameras in the order in which they see the spot.

use leptos::prelude::*;
use send_wrapper::SendWrapper;

use super::camera::{CameraList, Tiles};
use super::file::Cameras;
use super::person::{PeopleList, letter};
use super::use_desk;
use crate::figure::use_asked;
use crate::hall::use_hall;
use crate::language::use_language;
use crate::live::Health;
use crate::map::{
    MapCamera, MapClick, MapFocus, MapHandle, MapNamed, MapOptions, MapPadding, MapSize, MapView,
};
use crate::names::use_names;
use crate::once::{effect, memo, shown_or};
use crate::people::{self, Who, use_people};
use crate::words::{say, says};

/// The circle around the case.
const CIRCLE_M: f64 = 150.0;
/// Metres across the map.
const SPAN_M: f64 = 520.0;

#[component]
pub fn Around() -> impl IntoView {
    let (speaks, desk) = (use_language(), use_desk());
    let place = memo(move || desk.file.with(|answer| answer.case.report.place));
    let near = move || match desk.file.cameras.get() {
        Cameras::Near(near) => near.iter().filter(|near| near.distance_m <= CIRCLE_M).count(),
        Cameras::Asking | Cameras::Failed(_) => 0,
    };
    let people = move || {
        desk.file.people.with(|people| people.iter().filter(|one| one.distance_m <= CIRCLE_M).count())
    };
    let meta = move || {
        let language = speaks.get();
        let people = say!(language, desk.around_people, count = people());
        let cameras = say!(language, desk.around_cameras, count = near());
        say!(language, desk.around_count, people = people, cameras = cameras)
    };
    view! {
        {shown_or(move || place.get().is_some(), move || view! {
            <div class="hd"><h3>{says!(speaks, desk.around)}</h3><span class="meta">{meta}</span></div>
            <div class="around"><Crop/><div class="beside"><PeopleList/><CameraList/></div></div>
            <Tiles/>
        }, move || view! { <p class="no-place">{says!(speaks, desk.no_place)}</p> })}
    }
}

#[component]
fn Crop() -> impl IntoView {
    let (desk, names, speaks) = (use_desk(), use_names(), use_language());
    let map = MapHandle::new();
    let file = desk.file;
    effect(move || {
        let title =
            names.with(|names| file.with(|answer| names.class(speaks.get(), &answer.case.report.class)));
        let focus = file.with(|answer| {
            let place = answer.case.report.place?;
            Some(MapFocus { place, radius_m: CIRCLE_M, title: String::new(), note: title })
        });
        map.set_focus(focus.as_ref());
        if let Some(focus) = focus {
            map.fly_to(focus.place, SPAN_M);
        }
    });
    effect(move || {
        let (Cameras::Near(near), watched) = (file.cameras.get(), file.watched.get()) else { return };
        let state = |index: usize| if watched.contains(&index) { "live" } else { "idle" };
        let marks = MapCamera::linked(&near, state);
        map.set_linked(&marks);
    });
    let feed = use_people();
    feed.show_on(map);
    effect(move || {
        let named: Vec<MapNamed> = file.people.with(|people| {
            let named = people.iter().enumerate();
            named
                .map(|(place, one)| MapNamed {
                    index: one.index,
                    letter: letter(place).to_owned(),
                    name: one.code.clone(),
                })
                .collect()
        });
        map.set_named(&named);
    });
    let (hall, asked, who, feed) = (use_hall(), use_asked(), expect_context::<Who>(), SendWrapper::new(feed));
    let health = expect_context::<Health>();
    let on_click = Callback::new(move |click| {
        if let MapClick::Person(index) = click {
            let spot = untrack(|| file.with(|answer| answer.case.report.place));
            let language = untrack(|| speaks.get());
            let now = health.stands(hall);
            asked.set(untrack(|| people::card(language, names, who, &feed, index, spot, now)));
        }
        let MapClick::Camera(code) = click else { return };
        let Cameras::Near(near) = file.cameras.get_untracked() else { return };
        if let Some(index) = near.iter().position(|near| near.camera.code == code) {
            file.toggle_camera(index);
        }
    });
    view! { <div class="crop"><MapView handle=map manner on_click=on_click/></div> }
}

fn manner(size: MapSize) -> MapOptions {
    MapOptions {
        interactive: true,
        group: false,
        font_px: 1.3 * size.rem,
        padding: MapPadding { top: 8.0, right: 8.0, bottom: 8.0, left: 8.0 },
        ..MapOptions::default()
    }
}
