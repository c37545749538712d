//! The pictures of the incident in focus: up to three cameras, the one that sees the spot large. They stay open while
//! the case moves on, and change only with the place.

use domain::place::Point;
use domain::stream::State;
use leptos::prelude::*;
use send_wrapper::SendWrapper;

use crate::api::ApiError;
use crate::ask::Asker;
use crate::board::use_board;
use crate::figure::Opens;
use crate::language::use_language;
use crate::linked::{self, NearCamera};
use crate::live::Health;
use crate::names::use_names;
use crate::once::{CollectRows, anew, effect};
use crate::people::{self, Nearby};
use crate::player::CameraTile;
use crate::text;
use crate::wall::Focus;
use crate::words::{say, says};

/// How far linked cameras may hang from the case, in metres.
const RADIUS_M: u32 = 800;
/// One large picture and two small ones.
const CAMERAS_MAX: u32 = 3;

/// What is known of the linked cameras.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Linked {
    /// No case, or none with a position.
    #[default]
    Nowhere,
    Asking,
    Near(Vec<NearCamera>),
    Failed(ApiError),
}

impl Linked {
    /// The cameras, if there are any.
    pub fn cameras(&self) -> &[NearCamera] {
        match self {
            Self::Near(near) => near,
            Self::Nowhere | Self::Asking | Self::Failed(_) => &[],
        }
    }
}

/// Asks for the cameras whenever the focus moves to another place.
pub fn follow(spot: Memo<Option<Point>>) -> RwSignal<Linked> {
    let (linked, asker) = (RwSignal::new(Linked::default()), Asker::new());
    effect(move || {
        let Some(place) = spot.get() else {
            asker.forget();
            return linked.set(Linked::Nowhere);
        };
        linked.set(Linked::Asking);
        linked::ask_near(asker, place, RADIUS_M, CAMERAS_MAX, move |answer| {
            linked.set(match answer {
                Ok(near) => Linked::Near(near),
                Err(error) => Linked::Failed(error),
            });
        });
    });
    linked
}

#[component]
pub fn LinkedCameras() -> impl IntoView {
    let speaks = use_language();
    let linked = expect_context::<Focus>().linked;
    move || match linked.get() {
        Linked::Near(near) if !near.is_empty() => view! { <Pictures near/> }.into_any(),
        Linked::Near(_) => {
            view! { <None words=move || say!(speaks.get(), wall.no_camera, metres = RADIUS_M)/> }.into_any()
        }
        Linked::Nowhere => view! { <None words=says!(speaks, wall.no_place)/> }.into_any(),
        Linked::Asking => view! { <None words=String::new/> }.into_any(),
        Linked::Failed(error) => view! { <None words=move || error.words(speaks.get())/> }.into_any(),
    }
}

#[component]
fn None(words: impl Fn() -> String + Send + Sync + 'static) -> impl IntoView {
    view! { <div class="cams none"><p class="dim">{words}</p></div> }
}

#[component]
fn Pictures(near: Vec<NearCamera>) -> impl IntoView {
    let (speaks, names) = (use_language(), use_names());
    let language = Signal::derive(move || speaks.get());
    let offset = untrack(|| names.with(|names| names.policy.utc_offset_minutes));
    let pictures = expect_context::<Focus>().pictures;
    pictures.set(["idle"; 3]);
    let count = near.len();
    let tile = move |(index, near): (usize, NearCamera)| {
        let (code, name, number) = (near.camera.code.to_string(), near.camera.name, index as u8 + 1);
        // The map draws a camera without a signal dashed.
        let on_state = Callback::new(move |state: State| {
            pictures.update(|pictures| {
                if let Some(held) = pictures.get_mut(index) {
                    *held = state.name();
                }
            });
        });
        view! { <div class="cam"><CameraTile code number name language main={index == 0} offset on_state/></div> }
    };
    let beside = (count == 1).then(|| view! { <Nearest/> });
    view! { <div class="cams" data-count=count>{near.into_iter().enumerate().map(tile).collect_rows()}{beside}</div> }
}

/// Beside a single picture: who could be there first, with distance and age of the fix.
#[component]
fn Nearest() -> impl IntoView {
    let (speaks, hall, names) = (use_language(), crate::hall::use_hall(), use_names());
    let (focus, who) = (expect_context::<Focus>(), expect_context::<people::Who>());
    let health = expect_context::<Health>();
    let (board, feed) = (use_board(), SendWrapper::new(people::use_people()));
    let row = move |one: Nearby| {
        let (code, stale, feed) = (one.code.clone(), one.stale, feed.clone());
        let name = one.code.clone();
        let distance = match one.distance_m {
            near if near < 1_000.0 => format!("{} m", text::fixed(near, 0)),
            far => format!("{} km", text::fixed(far / 1_000.0, 1)),
        };
        let age = move || people::age_words(speaks.get(), one.fixed, hall.now());
        let evidence = move || {
            let spot = focus.case.get().and_then(|id| board.case(id)).and_then(|case| case.place);
            let card = people::card(speaks.get(), names, who, &feed, one.index, spot, health.stands(hall));
            card.unwrap_or_else(|| people::gone(speaks.get(), &name))
        };
        view! { <li class:stale=stale><Opens evidence><b>{code}</b><em>{distance}</em><small>{anew(age)}</small></Opens></li> }
    };
    let none = move || {
        focus
            .people
            .with(Vec::is_empty)
            .then(|| view! { <li class="dim">{say!(speaks.get(), people.none_near)}</li> })
    };
    view! {
        <div class="nearest"><h3>{says!(speaks, people.nearest)}</h3>
            <ul>{anew(none)}{move || focus.people.get().into_iter().map(&row).collect_rows()}</ul></div>
    }
}
