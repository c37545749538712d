//! The case that is open: its file from the server, its cameras, and what the user has chosen on it so far.

use domain::answer::CaseAnswer;
use domain::case::Case;
use domain::code::{CaseId, DepartmentCode};
use domain::place::Point;
use domain::wire::CaseLine;
use leptos::prelude::*;

use super::draft::Drafts;
use super::send::Sending;
use crate::api::ApiError;
use crate::ask::Asker;
use crate::board::{Board, use_board};
use crate::linked::{self, NearCamera};
use crate::once::memo;
use crate::people::{self, Nearby};

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
    pub opened: Memo<Option<CaseId>>,
    answer: RwSignal<Option<CaseAnswer>>,
    pub problem: RwSignal<Option<ApiError>>,
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
    /// What is written for this case and others.
    pub drafts: Drafts,
    board: Board,
    /// For the file, for what lies further back in it, and for the cameras.
    asks: Asker,
    asks_older: Asker,
    asks_near: Asker,
}

/// Whoever could be at the case soon, nearest first.
fn near_people(answer: RwSignal<Option<CaseAnswer>>) -> Memo<Vec<Nearby>> {
    let place = memo(move || answer.with(|answer| answer.as_ref()?.case.report.place));
    people::follow_near(place, PEOPLE_WITHIN_M, PEOPLE_MAX)
}

impl File {
    pub fn new(opened: Memo<Option<CaseId>>, sending: Sending) -> Self {
        let answer = RwSignal::new(None);
        let file = Self {
            opened,
            answer,
            problem: RwSignal::new(None),
            cameras: RwSignal::new(Cameras::Asking),
            watched: RwSignal::new(Vec::new()),
            enlarged: RwSignal::new(None),
            department: RwSignal::new(None),
            page: RwSignal::new(0),
            people: near_people(answer),
            calling: RwSignal::new(false),
            drafts: Drafts::new(opened),
            board: use_board(),
            asks: Asker::new(),
            asks_older: Asker::new(),
            asks_near: Asker::new(),
        };
        Effect::new(move |before: Option<Option<CaseId>>| {
            let id = opened.get();
            if before != Some(id) {
                untrack(|| file.clear());
                if let Some(id) = id {
                    file.load(id);
                }
            }
            id
        });
        file.follow(sending);
        file
    }

    /// Reads the file again when the feed or an own command has changed the case.
    fn follow(self, sending: Sending) {
        let version = memo(move || {
            let line = self.opened.get().and_then(|id| self.board.case(id));
            line.map(|line| line.version)
        });
        sending.on_answer(move |(command, carried_out)| self.drafts.hear(&command, carried_out));
        Effect::new(move |before: Option<(Option<u64>, u32)>| {
            let now = (version.get(), sending.done.get());
            let id = self.opened.get_untracked();
            let newer =
                self.answer.with_untracked(|answer| answer.as_ref().map(|answer| answer.case.version))
                    != now.0;
            if let (Some(before), Some(id)) = (before, id)
                && (before.1 != now.1 || (before.0 != now.0 && newer))
            {
                self.load(id);
            }
            now
        });
    }

    fn clear(self) {
        self.asks.forget();
        self.asks_older.forget();
        self.asks_near.forget();
        self.answer.set(None);
        self.problem.set(None);
        self.cameras.set(Cameras::Asking);
        self.watched.set(vec![0]);
        self.enlarged.set(None);
        self.department.set(None);
        self.page.set(0);
        self.calling.set(false);
    }

    fn load(self, id: CaseId) {
        self.asks.ask(format!("/api/v1/cases/{id}"), move |answer| self.take(answer));
    }

    fn take(self, answer: Result<CaseAnswer, ApiError>) {
        match answer {
            Ok(answer) => {
                let held =
                    self.answer.with_untracked(|held| held.as_ref().map(|held| held.case.report.place));
                let place = answer.case.report.place;
                if held != Some(place) {
                    self.load_cameras(place);
                }
                self.problem.set(None);
                self.answer.update(|held| match held {
                    Some(held) => held.renew(answer),
                    None => *held = Some(answer),
                });
            }
            Err(error) => {
                // It lies where this account does not see, since areas lie elsewhere or by another's step: what was read of
                // it goes, and the pictures beside it close.
                if matches!(error, ApiError::Refused { status: 404, .. }) {
                    self.clear();
                }
                self.problem.set(Some(error));
            }
        }
    }

    /// Reads on into the past of the case.
    pub fn load_older(self) {
        let before = self.answer.with_untracked(|held| held.as_ref().map(|held| (held.case.id, held.older)));
        let Some((id, Some(before))) = before else { return };
        let take = move |page: Result<CaseAnswer, ApiError>| match page {
            Ok(page) => {
                self.problem.set(None);
                self.answer.update(|held| {
                    if let Some(held) = held.as_mut().filter(|held| held.older == Some(before)) {
                        held.add_older(page);
                    }
                });
            }
            Err(error) => self.problem.set(Some(error)),
        };
        self.asks_older.ask(format!("/api/v1/cases/{id}?before={before}"), take);
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

    /// Tracked: reads the file, or gives nothing while there is none.
    pub fn with<T: Default>(self, read: impl FnOnce(&CaseAnswer) -> T) -> T {
        self.answer.with(|answer| answer.as_ref().map_or_else(T::default, read))
    }

    /// Tracked.
    pub fn case(self) -> Option<Case> {
        self.with(|answer| Some(answer.case.clone()))
    }

    /// Tracked.
    pub fn line(self) -> Option<CaseLine> {
        self.with(|answer| Some(CaseLine::from(&answer.case)))
    }

    /// Tracked.
    pub fn is_there(self) -> bool {
        self.answer.with(Option::is_some)
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
