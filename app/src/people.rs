//! Everyone on the streets, once for a whole page: one feed moves its maps and answers who is near a spot.
//!
//! What should be here: the feed, its maps, the headline's counts. What should not: frames (`crowd`), names (`who`),
//! how someone is drawn (the map's script). Positions never become signals; only counts and short lists do.

mod card;
mod crowd;
mod nearby;
mod who;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use leptos::prelude::*;
use send_wrapper::SendWrapper;

pub use card::{card, gone};
pub use crowd::{OnDuty, People, Seen};
pub use nearby::{Nearby, age_words, follow as follow_near, state_word};
pub use who::Who;

use crate::hall::{Hall, use_hall};
use crate::live::Live;
use crate::map::MapHandle;
use crate::names::use_names;
use crate::once::effect;

/// The page's positions.
#[derive(Clone)]
pub struct Feed(Rc<Inner>);

struct Inner {
    people: People,
    maps: RefCell<Vec<(u32, MapHandle)>>,
    last_map: Cell<u32>,
    hall: Hall,
    on_duty: RwSignal<OnDuty>,
}

/// Subscribes to positions for the page it is called in.
pub fn provide(live: &Live) {
    let hall = use_hall();
    let inner = Inner {
        people: People::default(),
        maps: RefCell::default(),
        last_map: Cell::new(0),
        hall,
        on_duty: RwSignal::new(OnDuty::default()),
    };
    let feed = Feed(Rc::new(inner));
    let (taking, again) = (feed.clone(), live.clone());
    live.on_positions(move |frame| {
        if !taking.take(frame) {
            again.ask_positions_anew();
        }
    });
    provide_context(SendWrapper::new(feed.clone()));
    feed.count();
}

pub fn use_people() -> Feed {
    expect_context::<SendWrapper<Feed>>().take()
}

impl Feed {
    /// Takes a frame; false when it does not follow on what is held and all must be asked for anew.
    fn take(&self, frame: &[u8]) -> bool {
        match self.0.people.take(frame, self.0.hall.present()) {
            Some(changed) => {
                self.0
                    .maps
                    .borrow()
                    .iter()
                    .for_each(|(_, map)| map.update_positions(changed.iter().copied()));
                true
            }
            None => {
                // The server numbers people anew after a restart.
                self.0.people.clear();
                self.0.maps.borrow().iter().for_each(|(_, map)| untrack(|| map.clear_positions()));
                false
            }
        }
    }

    /// Moves everyone on this map too, until the caller's part of the page goes.
    pub fn show_on(&self, map: MapHandle) {
        let id = self.0.last_map.get() + 1;
        self.0.last_map.set(id);
        self.0.maps.borrow_mut().push((id, map));
        let gone = SendWrapper::new(self.clone());
        on_cleanup(move || {
            gone.0.maps.borrow_mut().retain(|(map, _)| *map != id);
        });
        let shown = self.clone();
        effect(move || {
            if map.is_ready() {
                map.update_positions(shown.0.people.all(shown.0.hall.present()));
            }
        });
        let names = use_names();
        effect(move || {
            if names.loaded() {
                map.set_stale_seconds(names.with(|names| names.policy.position_stale_seconds));
            }
        });
    }

    /// How many have a position, written every two seconds.
    pub fn on_duty(&self) -> RwSignal<OnDuty> {
        self.0.on_duty
    }

    /// Whom this screen knows, nearest first, within `within_m` metres of `spot`.
    pub fn nearest(&self, spot: domain::place::Point, within_m: f64, count: usize) -> Vec<Seen> {
        self.0.people.nearest(spot, within_m, count)
    }

    pub fn one(&self, index: u32) -> Option<Seen> {
        self.0.people.one(index)
    }

    fn count(&self) {
        let (feed, names) = (self.clone(), use_names());
        effect(move || {
            let now = feed.0.hall.now();
            let stale = names.with(|names| names.policy.position_stale_seconds);
            if now.0 / 1_000 % 2 == 0 {
                let counted = feed.0.people.on_duty(now, stale);
                if feed.0.on_duty.get_untracked() != counted {
                    feed.0.on_duty.set(counted);
                }
            }
        });
    }
}
