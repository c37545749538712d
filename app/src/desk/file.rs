//! What lies around the open case and what the user has chosen on it so far: cameras, people, the department it would go to.
//!
//! What should not be here: the case itself, and what is written for it (`work::file`).

use std::ops::Deref;

use domain::code::DepartmentCode;
use domain::place::Point;
use leptos::prelude::*;

use crate::api::ApiError;
use crate::ask::Asker;
use crate::linked::{self, NearCamera};
use crate::once::{effect, memo};
use crate::people::{self, Nearby};
use crate::work::file::CaseFile;

/// How far linked cameras may hang from the case.
const RADIUS_M: u32 = 800;
/// Inspectors beside the case: as many as the list has room for, and no one from another district.
const PEOPLE_MAX: usize = 3;
const PEOPLE_WITHIN_M: f64 = 3_000.0;
/// As many as digits call.
const CAMERAS_MAX: u32 = 9;

/// What is known of the linked cameras.
#[derive(Debug, Clone, PartialEq)]
pub enum Cameras {
    Asking,
    /// Those that see the spot first.
    Near(Vec<NearCamera>),
    Failed(ApiError),
}

#[derive(Clone, Copy)]
pub struct File {
    held: CaseFile,
    pub cameras: RwSignal<Cameras>,
    /// Cameras that are watched, by their place in the list.
    pub watched: RwSignal<Vec<usize>>,
    pub enlarged: RwSignal<Option<usize>>,
    pub department: RwSignal<Option<DepartmentCode>>,
    /// Page of nine departments.
    pub page: RwSignal<usize>,
    /// The inspectors nearest to the case.
    pub people: Memo<Vec<Nearby>>,
    /// The whistle form is open.
    pub calling: RwSignal<bool>,
    asks_near: Asker,
}

impl Deref for File {
    type Target = CaseFile;

    fn deref(&self) -> &CaseFile {
        &self.held
    }
}

impl File {
    pub fn new(held: CaseFile) -> Self {
        // None while there is no file; then where the case is, as far as that is known.
        let place = memo(move || held.with(|answer| Some(answer.case.report.place)));
        let file = Self {
            held,
            cameras: RwSignal::new(Cameras::Asking),
            watched: RwSignal::new(Vec::new()),
            enlarged: RwSignal::new(None),
            department: RwSignal::new(None),
            page: RwSignal::new(0),
            // Whoever could be at the case soon, nearest first.
            people: people::follow_near(memo(move || place.get().flatten()), PEOPLE_WITHIN_M, PEOPLE_MAX),
            calling: RwSignal::new(false),
            asks_near: Asker::new(),
        };
        effect(move || {
            let place = place.get();
            untrack(|| match place {
                Some(place) => file.load_cameras(place),
                None => file.clear(),
            });
        });
        file
    }

    /// No case is open, another is, or this one is out of sight: the pictures beside it close.
    fn clear(self) {
        self.asks_near.forget();
        self.cameras.set(Cameras::Asking);
        self.watched.set(vec![0]);
        self.enlarged.set(None);
        self.department.set(None);
        self.page.set(0);
        self.calling.set(false);
    }

    fn load_cameras(self, place: Option<Point>) {
        let Some(place) = place else {
            self.asks_near.forget();
            return self.cameras.set(Cameras::Near(Vec::new()));
        };
        linked::ask_near(self.asks_near, place, RADIUS_M, CAMERAS_MAX, move |answer| {
            self.cameras.set(match answer {
                Ok(near) => Cameras::Near(near),
                Err(error) => Cameras::Failed(error),
            });
        });
    }

    /// Opens or closes a camera's picture.
    pub fn toggle_camera(self, index: usize) {
        let known = self
            .cameras
            .with_untracked(|cameras| matches!(cameras, Cameras::Near(near) if index < near.len()));
        if known {
            self.watched.update(|watched| match watched.iter().position(|open| *open == index) {
                Some(at) => drop(watched.remove(at)),
                None => watched.push(index),
            });
            self.enlarged.update(|enlarged| *enlarged = enlarged.filter(|shown| *shown != index));
        }
    }

    /// Makes one watched picture large, then small again.
    pub fn enlarge(self, index: Option<usize>) {
        let first = self.watched.with_untracked(|watched| watched.iter().min().copied());
        self.enlarged.update(|enlarged| {
            *enlarged = match (*enlarged, index) {
                (None, None) => first,
                (Some(_), None) => None,
                (Some(shown), Some(wanted)) if shown == wanted => None,
                (_, Some(wanted)) => Some(wanted),
            }
        });
    }
}
