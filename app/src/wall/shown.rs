//! What hangs on this wall: the scene its address asks for, in the shape that fits its window.
//!
//! What should be here: asking for the hall's walls, and following the window. What should not: which shape fits
//! (`domain::scene`), what a panel is (`panel`).

use domain::catalogue::Name;
use domain::route;
use domain::scene::{Cell, Hanging, Missing, PanelKind, Scene, Shape, Walls};
use leptos::prelude::*;

use crate::api::ApiError;
use crate::ask::Asker;
use crate::live::{Health, Link};
use crate::once::{effect, memo};
use crate::{page, text, world};

/// What the wall of this page shows.
#[derive(Clone, Copy)]
pub struct Shown {
    /// None until the hall has said which there are.
    walls: RwSignal<Option<Walls>>,
    scene: Memo<Result<Scene, Missing>>,
    hung: Memo<Option<(Hanging, Shape)>>,
}

impl Shown {
    /// Tracked. Why nothing hangs here.
    pub fn missing(self) -> Option<Missing> {
        self.scene.with(|scene| scene.as_ref().err().copied())
    }

    /// Tracked.
    pub fn name(self) -> Option<Name> {
        self.scene.with(|scene| scene.as_ref().ok().map(|scene| scene.name.clone()))
    }

    /// Tracked. The panels, in the order of reading.
    pub fn panels(self) -> Vec<PanelKind> {
        let panels = |(_, shape): &(_, Shape)| shape.cells.iter().map(|cell| cell.panel).collect();
        self.hung.with(|hung| hung.as_ref().map(panels)).unwrap_or_default()
    }

    /// Tracked.
    pub fn is_stacked(self) -> bool {
        self.hung.with(|hung| hung.as_ref().is_some_and(|(hanging, _)| *hanging == Hanging::Stacked))
    }

    /// Tracked. Where a panel hangs, as a style.
    pub fn place(self, panel: PanelKind) -> Option<String> {
        self.hung.with(|hung| {
            let (hanging, shape) = hung.as_ref()?;
            match hanging {
                Hanging::Placed => {
                    shape.cells.iter().find(|cell| cell.panel == panel).map(|cell| style(cell, shape))
                }
                Hanging::Stacked => None,
            }
        })
    }

    /// Tracked. Address and name of each wall there is.
    pub fn walls(self) -> Vec<(String, Name)> {
        let address = |id: &str| route::wall(&world::base(), id, "");
        let of =
            |walls: &Walls| walls.walls.iter().map(|wall| (address(&wall.id), wall.name.clone())).collect();
        self.walls.with(|walls| walls.as_ref().map(of)).unwrap_or_default()
    }
}

fn style(cell: &Cell, shape: &Shape) -> String {
    let [left, top, width, height] = cell.percent(shape).map(|part| text::fixed(part, 4));
    format!("left:{left}%;top:{top}%;width:{width}%;height:{height}%")
}

/// One for the page it is called in. Until the hall has said what it shows, and where it does not say, that is the scene
/// every hall has; it is asked again when the server was away, because another start may know of other
/// scenes.
pub fn provide(health: Health) -> Shown {
    let told = RwSignal::new(None::<Walls>);
    let asker = Asker::new();
    let away = memo(move || matches!(health.link.get(), Link::Lost { .. }));
    effect(move || {
        if !away.get() {
            ask(asker, told);
        }
    });
    let path = window().location().pathname().unwrap_or_default();
    let wall = route::wall_of(&world::base(), &path).unwrap_or_default().to_owned();
    let wanted = page::query("scene");
    let scene = memo(move || {
        told.with(|told| match told {
            Some(walls) => walls.shown(&wall, wanted.as_deref()).cloned(),
            None => Ok(Scene::usual()),
        })
    });
    let size = follow_window();
    let hung = memo(move || {
        let (width, height) = size.get();
        let shape =
            |scene: &Scene| scene.hung(width, height).map(|(hanging, shape)| (hanging, shape.clone()));
        scene.with(|scene| shape(scene.as_ref().ok()?))
    });
    let shown = Shown { walls: told, scene, hung };
    provide_context(shown);
    shown
}

fn ask(asker: Asker, told: RwSignal<Option<Walls>>) {
    asker.ask("/api/v1/walls".to_owned(), move |answer: Result<Walls, ApiError>| match answer {
        Ok(walls) => drop(told.try_set(Some(walls))),
        Err(error) => leptos::logging::warn!("walls not loaded: {error}"),
    });
}

fn follow_window() -> RwSignal<(f64, f64)> {
    let side =
        |side: Result<wasm_bindgen::JsValue, _>| side.ok().and_then(|side| side.as_f64()).unwrap_or(0.0);
    let measured = move || (side(window().inner_width()), side(window().inner_height()));
    let size = RwSignal::new(measured());
    let resized = window_event_listener(leptos::ev::resize, move |_| size.set(measured()));
    on_cleanup(move || resized.remove());
    size
}
