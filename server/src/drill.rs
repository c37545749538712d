//! Drills (演练): each a hall of its own world, with its own folder below the data folder, its own log and its own clock.
//!
//! What should be here: which drills there are. What should not: the rules (`domain::drill`), addresses (`http::drills`), how a
//! drill's hall is opened (`drill::opening`). Between the city and a drill there is one way, and it leads from the city:
//! `drill::breaking`.
//!
//! Modules in reading order.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use domain::drill::answer::DrillAnswer;
use domain::drill::{Drill, DrillId};

use crate::access::Actor;
use crate::folder::WORLDS;
use crate::lock::lock;

pub mod breaking;
mod answered;
mod journal;
mod stands;
pub mod held;
pub mod director;
mod injector;
pub mod opening;

use held::{Held, asker};

/// The drills of a process; clones share them.
#[derive(Clone)]
pub struct Drills(Arc<Inner>);

struct Inner {
    root: PathBuf,
    heard: breaking::Heard,
    kept: Mutex<BTreeMap<DrillId, Kept>>,
}

enum Kept {
    Open(Arc<Held>),
    Stopped(Box<Drill>),
}

/// What an id stands for.
pub enum Found {
    Open(Arc<Held>),
    Stopped(Box<Drill>),
    None,
}

impl Drills {
    /// None yet. `dir`: the live hall's data folder.
    #[must_use]
    pub fn new(dir: &Path, heard: breaking::Heard) -> Self {
        Self(Arc::new(Inner { root: dir.join(WORLDS), heard, kept: Mutex::default() }))
    }

    /// How many there are, the stopped ones with them.
    fn len(&self) -> usize {
        lock(&self.0.kept).len()
    }

    fn opened(&self, held: &Arc<Held>) {
        let id = held.drill(|drill| drill.prepared.id);
        lock(&self.0.kept).insert(id, Kept::Open(held.clone()));
    }

    fn stopped(&self, drill: Drill) {
        lock(&self.0.kept).insert(drill.prepared.id, Kept::Stopped(Box::new(drill)));
    }

    /// All of them, the newest first, as somebody is told of them.
    #[must_use]
    pub fn told(&self, actor: &Actor) -> Vec<DrillAnswer> {
        let kept = lock(&self.0.kept);
        let mut told: Vec<DrillAnswer> = kept
            .values()
            .map(|kept| match kept {
                Kept::Open(held) => held.told(actor),
                Kept::Stopped(drill) => DrillAnswer::of(drill, drill.clock, drill.is_led_by(&asker(actor))),
            })
            .collect();
        told.sort_by(|one, other| (other.prepared, &other.id).cmp(&(one.prepared, &one.id)));
        told
    }

    #[must_use]
    pub fn find(&self, id: &str) -> Found {
        let Ok(id) = id.parse::<DrillId>() else { return Found::None };
        match lock(&self.0.kept).get(&id) {
            None => Found::None,
            Some(Kept::Open(held)) => Found::Open(held.clone()),
            Some(Kept::Stopped(drill)) => Found::Stopped(drill.clone()),
        }
    }

    /// The process ends: every drill's hall is closed, and comes back with the next start. Blocks.
    pub fn close(&self) {
        let open: Vec<Arc<Held>> = lock(&self.0.kept)
            .values()
            .filter_map(|kept| match kept {
                Kept::Open(held) => Some(held.clone()),
                Kept::Stopped(_) => None,
            })
            .collect();
        open.iter().for_each(|held| held.close());
    }
}
