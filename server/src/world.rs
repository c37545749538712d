//! Worlds (世界): a type for each, and the register of the halls a process has beside its own.
//!
//! What belongs to one world carries its type: an [`Envelope`](crate::writer::Envelope), what the writer made of it, the writer's
//! end of a hub. No conversion exists, so that a drill's command cannot be sent to the city's writer, nor what a drill did reach
//! the city's screens (`server/tests/worlds.rs`). What should not be here: what a hall consists of (`hall`), addresses (`http`).

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;
use axum::Router;
use domain::moment::UtcMillis;
use domain::rejection::Language;
use domain::world::{SetClock, WorldKind, WorldState};
use rand::Rng;

use crate::access::Actor;
use crate::clock::Driver;
use crate::lock::lock;
use crate::problem::Problem;

mod sealed {
    /// Nobody else makes a world.
    pub trait Sealed {}
}

/// A world in the type of what belongs to it.
pub trait World: sealed::Sealed + Copy + Default + Debug + Send + Sync + 'static {}

/// The one city this process is for, as it is, or the demonstration's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Live;

/// A drill (演练).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Exercise;

/// The past, shown again (复盘). Nothing writes there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Replay;

impl sealed::Sealed for Live {}
impl sealed::Sealed for Exercise {}
impl sealed::Sealed for Replay {}
impl World for Live {}
impl World for Exercise {}
impl World for Replay {}

/// Which world a hall shows, as its pages and answers say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub kind: WorldKind,
    /// None of the hall at the root.
    pub id: Option<String>,
    /// As people named it; empty where nobody did.
    pub title: String,
}

impl Identity {
    /// Of the hall a process is for.
    #[must_use]
    pub fn home(kind: WorldKind) -> Self {
        Self { kind, id: None, title: String::new() }
    }

    /// Whether it is the hall the process is for, at the root of its addresses.
    #[must_use]
    pub fn is_home(&self) -> bool {
        self.id.is_none()
    }

    /// What every address of it begins with: nothing, or `/world/{id}`.
    #[must_use]
    pub fn base(&self) -> String {
        self.id.as_ref().map_or_else(String::new, |id| format!("{PREFIX}{id}"))
    }
}

/// Before the id of a world in an address.
pub const PREFIX: &str = "/world/";

/// Most worlds beside the hall's own, of all kinds: each is a state in memory, and a drill a store.
const OPEN_MAX: usize = 12;

/// What there is to say of a world's clock, besides its time and pace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The stretch its time may be set to.
    pub from: UtcMillis,
    pub to: UtcMillis,
    pub state: WorldState,
    /// Who opened it.
    pub by: String,
    /// When another policy came into force within the stretch.
    pub adopted: Vec<UtcMillis>,
    /// Events in each of as many equally long slices of it.
    pub density: Vec<u32>,
}

/// The outcome of a wish, once it has come to pass.
pub type Driven<'a> = Pin<Box<dyn Future<Output = Result<(), Problem>> + Send + 'a>>;

/// A world's clock, for those who may drive it.
pub trait Drive: Debug + Send + Sync {
    /// Carries a wish out, or says why not: also who may wish it is asked here.
    fn drive<'a>(&'a self, actor: &'a Actor, wish: SetClock, language: Language) -> Driven<'a>;

    /// Its stretch and who opened it; none where its time cannot be set.
    fn told(&self) -> Option<Told> {
        None
    }

    /// Whether it was opened for this stretch and instant.
    fn is_for(&self, _from: UtcMillis, _to: UtcMillis, _at: Option<UtcMillis>) -> bool {
        false
    }

    /// Whether somebody may end it besides those who may end any.
    fn may_end(&self, _actor: &Actor) -> bool {
        false
    }
}

/// Whose clock a hall goes by.
#[derive(Debug, Clone)]
pub enum Shown {
    /// 实时: the machine's.
    Live,
    /// 演示: a simulated city's, which may be speeded up.
    Demonstration(Driver),
    /// That of a world beside, which its own rules drive.
    Driven(Arc<dyn Drive>),
}

impl Shown {
    /// What kind of world a process's own hall is by that.
    #[must_use]
    pub fn home(&self) -> WorldKind {
        match self {
            Self::Live | Self::Driven(_) => WorldKind::Live,
            Self::Demonstration(_) => WorldKind::Demonstration,
        }
    }
}

/// A world that is open.
pub struct Open {
    pub identity: Identity,
    /// Who drives its clock goes through here.
    pub drive: Option<Arc<dyn Drive>>,
    /// What answers below its address; another one after a leap in time.
    router: ArcSwap<Router>,
    /// Tells it that it is over.
    end: Box<dyn Fn() + Send + Sync>,
}

impl Open {
    pub fn router(&self) -> Router {
        Router::clone(&self.router.load())
    }

    /// From now on another router answers.
    pub fn answer_by(&self, router: Router) {
        self.router.store(Arc::new(router));
    }
}

impl Debug for Open {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Open").field("identity", &self.identity).finish_non_exhaustive()
    }
}

/// What an id stands for.
#[derive(Debug, Clone)]
pub enum Found {
    Open(Arc<Open>),
    /// There is no such world, or not any more.
    Gone,
}

#[derive(Debug)]
enum Place {
    /// Somebody is opening it.
    Taken(WorldKind),
    Open(Arc<Open>),
}

impl Place {
    fn kind(&self) -> WorldKind {
        match self {
            Self::Taken(kind) => *kind,
            Self::Open(open) => open.identity.kind,
        }
    }
}

/// The worlds a process has beside its own hall; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Worlds(Arc<Mutex<BTreeMap<String, Place>>>);

/// As many worlds of the kind, or of all kinds, are open as may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("as many worlds of this kind are open as may be: {most}")]
pub struct TooMany {
    pub most: usize,
}

impl Worlds {
    /// Takes a place for a world of a kind, of which at most `most` may be open.
    pub fn reserve(&self, kind: WorldKind, most: usize) -> Result<Reserved, TooMany> {
        let mut places = lock(&self.0);
        if places.values().filter(|place| place.kind() == kind).count() >= most {
            return Err(TooMany { most });
        }
        if places.len() >= OPEN_MAX {
            return Err(TooMany { most: OPEN_MAX });
        }
        let id = loop {
            let id = format!("{}-{:08x}", kind.key(), rand::rng().random::<u32>());
            if !places.contains_key(&id) {
                break id;
            }
        };
        places.insert(id.clone(), Place::Taken(kind));
        Ok(Reserved { worlds: self.clone(), id, kind, kept: false })
    }

    /// Takes the place of a world that was open when the process ended, under the id it had.
    pub fn reserve_again(&self, kind: WorldKind, id: &str) -> Result<Reserved, TooMany> {
        let mut places = lock(&self.0);
        if places.len() >= OPEN_MAX || places.contains_key(id) {
            return Err(TooMany { most: OPEN_MAX });
        }
        places.insert(id.to_owned(), Place::Taken(kind));
        Ok(Reserved { worlds: self.clone(), id: id.to_owned(), kind, kept: false })
    }

    #[must_use]
    pub fn find(&self, id: &str) -> Found {
        match lock(&self.0).get(id) {
            Some(Place::Open(open)) => Found::Open(open.clone()),
            Some(Place::Taken(_)) | None => Found::Gone,
        }
    }

    /// Those of a kind that are open.
    #[must_use]
    pub fn of_kind(&self, kind: WorldKind) -> Vec<Arc<Open>> {
        let places = lock(&self.0);
        let open = |place: &Place| match place {
            Place::Open(open) if open.identity.kind == kind => Some(open.clone()),
            Place::Open(_) | Place::Taken(_) => None,
        };
        places.values().filter_map(open).collect()
    }

    /// Ends a world; whether there was one.
    pub fn close(&self, id: &str) -> bool {
        let closed = lock(&self.0).remove(id);
        match closed {
            Some(Place::Open(open)) => {
                (open.end)();
                true
            }
            Some(Place::Taken(_)) | None => false,
        }
    }

    /// Ends all of them: the process stops.
    pub fn close_all(&self) {
        let ids: Vec<String> = lock(&self.0).keys().cloned().collect();
        for id in ids {
            self.close(&id);
        }
    }
}

/// A place for a world that is being opened; given back when it is dropped.
#[derive(Debug)]
pub struct Reserved {
    worlds: Worlds,
    id: String,
    kind: WorldKind,
    kept: bool,
}

impl Reserved {
    #[must_use]
    pub fn identity(&self, title: &str) -> Identity {
        Identity { kind: self.kind, id: Some(self.id.clone()), title: title.to_owned() }
    }

    /// The world is open: it answers by `router`, and hears through `end` that it is over.
    #[must_use]
    pub fn open(self, title: &str, router: Router, end: Box<dyn Fn() + Send + Sync>) -> Arc<Open> {
        self.put(title, router, None, end)
    }

    /// As [`Self::open`], of a world whose clock is driven through `drive`.
    #[must_use]
    pub fn open_driven(
        self,
        title: &str,
        router: Router,
        drive: Arc<dyn Drive>,
        end: Box<dyn Fn() + Send + Sync>,
    ) -> Arc<Open> {
        self.put(title, router, Some(drive), end)
    }

    fn put(
        mut self,
        title: &str,
        router: Router,
        drive: Option<Arc<dyn Drive>>,
        end: Box<dyn Fn() + Send + Sync>,
    ) -> Arc<Open> {
        self.kept = true;
        let identity = self.identity(title);
        let open = Arc::new(Open { identity, drive, router: ArcSwap::from_pointee(router), end });
        lock(&self.worlds.0).insert(self.id.clone(), Place::Open(open.clone()));
        open
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        if !self.kept {
            lock(&self.worlds.0).remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn open(worlds: &Worlds, ended: &Arc<AtomicUsize>) -> Arc<Open> {
        let ended = ended.clone();
        let end = Box::new(move || {
            ended.fetch_add(1, Ordering::SeqCst);
        });
        worlds.reserve(WorldKind::Replay, 2).unwrap().open("", Router::new(), end)
    }

    #[test]
    fn worlds_of_a_kind_are_bounded_and_a_place_is_given_back() {
        let (worlds, ended) = (Worlds::default(), Arc::default());
        let first = open(&worlds, &ended);
        let second = worlds.reserve(WorldKind::Replay, 2).unwrap();
        assert_eq!(worlds.reserve(WorldKind::Replay, 2).unwrap_err(), TooMany { most: 2 });
        assert!(worlds.reserve(WorldKind::Drill, 1).is_ok(), "another kind has places of its own");
        drop(second);
        assert!(worlds.reserve(WorldKind::Replay, 2).is_ok());
        assert!(worlds.close(first.identity.id.as_deref().unwrap()));
        assert!(worlds.reserve(WorldKind::Replay, 1).is_ok());
    }

    #[test]
    fn a_world_that_is_closed_is_gone_and_hears_of_it_once() {
        let (worlds, ended) = (Worlds::default(), Arc::default());
        let world = open(&worlds, &ended);
        let id = world.identity.id.clone().unwrap();
        assert_eq!(world.identity.base(), format!("/world/{id}"));
        assert!(matches!(worlds.find(&id), Found::Open(_)));
        assert!(worlds.close(&id) && !worlds.close(&id));
        assert!(matches!(worlds.find(&id), Found::Gone));
        let _still_open = open(&worlds, &ended);
        worlds.close_all();
        assert_eq!(ended.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn a_world_that_is_being_opened_answers_nobody() {
        let worlds = Worlds::default();
        let reserved = worlds.reserve(WorldKind::Drill, 1).unwrap();
        let id = reserved.identity("").id.unwrap();
        assert!(matches!(worlds.find(&id), Found::Gone));
        assert!(!worlds.close(&id) || matches!(worlds.find(&id), Found::Gone));
    }
}
