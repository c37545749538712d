//! How a drill's hall is opened: prepared anew, or come back with the process; and how it ends.
//!
//! What should be here: folder, log, record and hall of one drill, in the order in which they come to be. What should not: the
//! rules (`domain::drill`).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use domain::catalogue::Catalogue;
use domain::code::CaseId;
use domain::drill::answer::{DrillAnswer, PrepareDrill};
use domain::drill::{Ask, Drill, DrillId, DrillRefusal, DrillStage, KEPT_MAX, OPEN_MAX, Pace, Prepared};
use domain::moment::UtcMillis;
use domain::policy::Policy;
use domain::state::{State, decide};
use domain::world::WorldKind;
use tokio_util::sync::CancellationToken;

use super::answered::{self, Remembered};
use super::director::Director;
use super::held::{DrillError, Held, Parts};
use super::journal::{self, Journal};
use super::stands::{self, Stands};
use super::{Drills, injector};
use crate::access::Actor;
use crate::cause::chain;
use crate::clock::Clock;
use crate::config::Config;
use crate::hall::{Forms, Hall, Opening, Rooms};
use crate::world::{Exercise, Identity, Reserved, Shown};
use crate::writer::pen::Pen;
use crate::writer::store::{Options, Store};

/// How a hall answers below its address.
pub type Answers = fn(&Hall) -> Router;

/// The city's hall, whose people, cameras and settings a drill has too, and how halls answer.
#[derive(Clone, Copy)]
pub struct Home<'a> {
    pub hall: &'a Hall,
    pub answers: Answers,
}

impl Home<'_> {
    fn drills(&self) -> &Drills {
        &self.hall.drills
    }
}

/// Opens again what was there before the process ended. A drill that cannot be read is told and left alone: the city does
/// not wait for it.
pub async fn come_back(home: Home<'_>) {
    for (id, dir) in folders(&home.drills().0.root) {
        let known = match journal::look(&dir) {
            Ok(known) => known,
            Err(error) => {
                tracing::error!(drill = %id, error = chain(&error), "a drill cannot be read");
                continue;
            }
        };
        if !known.is_open() {
            home.drills().stopped(known);
            continue;
        }
        let Ok(reserved) = home.hall.worlds.reserve_again(WorldKind::Drill, &id.to_string()) else {
            tracing::error!(drill = %id, "more drills are open than may be; this one stays closed");
            continue;
        };
        match open(home, reserved, None).await {
            Ok(held) if held.drill(|drill| drill.came_back) => tracing::warn!(
                drill = %id,
                "a drill was running when the server ended; it stands until its director lets it go on"
            ),
            Ok(_) => tracing::info!(drill = %id, "a drill is open again"),
            Err(error) => tracing::error!(drill = %id, error = chain(&error), "a drill cannot be opened"),
        }
    }
}

/// Prepares a drill: its clock stands at the live hall's present until it is started.
pub async fn prepare(home: Home<'_>, actor: &Actor, asked: PrepareDrill) -> Result<DrillAnswer, DrillError> {
    let (catalogue, in_force) = home.hall.of_one_moment();
    let policy = policy_of(&catalogue, &in_force.policy);
    let at = home.hall.clock.now();
    let mut prepared = Prepared {
        id: DrillId(0),
        title: asked.title,
        director: actor.name.clone(),
        roles: actor.roles.clone(),
        at,
        injects: asked.injects,
    };
    prepared.check()?;
    check_injects(&prepared, &policy, at)?;
    if home.drills().len() >= KEPT_MAX {
        return Err(DrillRefusal::TooManyKept.into());
    }
    let reserved = home.hall.worlds.reserve(WorldKind::Drill, OPEN_MAX);
    let reserved = reserved.map_err(|_| DrillRefusal::TooManyOpen)?;
    prepared.id = id_of(&reserved)?;
    let held = open(home, reserved, Some((prepared, policy))).await?;
    Ok(held.told(actor))
}

/// Ends a drill. Its screens hear so at once; its folder stays.
pub async fn stop(
    home: Home<'_>,
    held: &Arc<Held>,
    actor: &Actor,
    leaving: Vec<CaseId>,
) -> Result<DrillAnswer, DrillError> {
    held.ask(Ask::Stop { leaving }, actor).await?;
    let (drill, told) = (held.drill(Drill::clone), held.told(actor));
    home.hall.worlds.close(&drill.prepared.id.to_string());
    let closing = held.clone();
    let closed = tokio::task::spawn_blocking(move || closing.close());
    home.drills().stopped(drill);
    closed.await.map_err(|_| DrillError::Stopping)?;
    Ok(told)
}

fn id_of(reserved: &Reserved) -> Result<DrillId, DrillError> {
    let id = reserved.identity("").id.and_then(|id| id.parse().ok());
    id.context("the world has no drill's id").map_err(DrillError::Hall)
}

/// Opens a drill's hall: a new one, which is there once its record is begun, or one that has been.
async fn open(
    home: Home<'_>,
    reserved: Reserved,
    new: Option<(Prepared, Policy)>,
) -> Result<Arc<Held>, DrillError> {
    let city = home.drills().0.heard.clone();
    let dir = home.drills().0.root.join(id_of(&reserved)?.to_string());
    let mut config = (*home.hall.config).clone();
    config.store.dir.clone_from(&dir);
    // What an older one began with is in its log.
    let (prepared, policy) = match new {
        Some((prepared, policy)) => (Some(prepared), policy),
        None => (None, (*home.hall.policy()).clone()),
    };
    let opened = tokio::task::spawn_blocking(move || opened(&dir, prepared.as_ref(), &policy));
    let Opened { store, state, journal, drill, stands, remembered } =
        opened.await.map_err(|_| DrillError::Stopping)?.map_err(DrillError::Hall)?;
    let identity = reserved.identity(&drill.prepared.title);
    // One that stands says so in its record to the millisecond.
    let stood = stands.read().filter(|_| drill.stage == DrillStage::Running);
    let begins = drill.clock.max(last_known(&store, &state)).max(stood.unwrap_or(drill.clock));
    let (clock, driver) = Clock::driven(begins, Pace::STANDS.milli());
    let opening = Opening {
        config: &config,
        store,
        state,
        clock: clock.clone(),
        follow: Vec::new(),
        beside: Vec::new(),
        forms: Forms::default(),
    };
    let rooms = Rooms::<Exercise>::open(opening).map_err(DrillError::Hall)?;
    let over = CancellationToken::new();
    rooms.hub.hear(answered::listen(city.clone(), remembered, over.clone()));
    let (writer, lists, live) = (rooms.writer.clone(), rooms.lists.clone(), home.hall.clock.clone());
    let parts = Parts { journal, drill, clock, driver, live, writer, lists, heard: city, stands };
    let held = Arc::new(Held::new(parts, over));
    held.come_back()?;
    let hall = hall_of(home.hall, config, rooms, &held, identity.clone());
    let (hub, over) = (hall.hub.clone(), held.over.clone());
    let end = Box::new(move || {
        over.cancel();
        // Whoever comes again hears that the world is gone.
        hub.replace();
    });
    tokio::spawn(injector::run(held.clone()));
    tokio::spawn(stands::run(held.clone()));
    home.drills().opened(&held);
    // It answers from here on.
    drop(reserved.open(&identity.title, (home.answers)(&hall), end));
    Ok(held)
}

/// Folders of drills, by their names.
fn folders(root: &Path) -> Vec<(DrillId, PathBuf)> {
    let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
    let mut found: Vec<(DrillId, PathBuf)> = entries
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())))
        // One that was left before its record was begun was never answered.
        .filter(|(_, dir)| dir.join(journal::RECORD).exists())
        .collect();
    found.sort();
    found
}

/// What lies in a drill's folder.
struct Opened {
    store: Store,
    state: State,
    journal: Journal,
    drill: Drill,
    stands: Stands,
    remembered: Remembered,
}

/// The store and the record of a drill; new ones where one is prepared.
fn opened(dir: &Path, prepared: Option<&Prepared>, policy: &Policy) -> anyhow::Result<Opened> {
    if prepared.is_some() {
        std::fs::create_dir_all(dir).with_context(|| format!("cannot make `{}`", dir.display()))?;
    }
    // For ever: what happened is never to happen again after a restart.
    let options = Options { keys_kept_days: None, ..Options::default() };
    let (store, state) = Store::open_with(dir, policy, options)?;
    let (journal, drill) = match prepared {
        Some(prepared) => (Journal::begin(dir, prepared)?, Drill::new(prepared.clone())),
        None => Journal::open(dir)?,
    };
    let stands =
        Stands::open(dir).with_context(|| format!("cannot open the clock of `{}`", dir.display()))?;
    let remembered = Remembered::open(dir, drill.prepared.at);
    Ok(Opened { store, state, journal, drill, stands, remembered })
}

/// The time of the drill's last event: its clock was there.
fn last_known(store: &Store, state: &State) -> UtcMillis {
    let last = state.seq.checked_sub(1).and_then(|before| store.reader().events_after(before, 1).ok());
    last.and_then(|read| read.first().map(|(recorded, _)| recorded.at)).unwrap_or(UtcMillis(0))
}

/// The rules in force with every code the city knows now: with those a drill begins.
fn policy_of(catalogue: &Catalogue, in_force: &Policy) -> Policy {
    Policy {
        areas: catalogue.area_order.iter().filter_map(|code| catalogue.areas.get(code)).cloned().collect(),
        classes: catalogue.classes.values().cloned().collect(),
        sources: catalogue.sources.values().cloned().collect(),
        departments: catalogue.departments.values().cloned().collect(),
        conditions: catalogue.conditions.values().cloned().collect(),
        ..in_force.clone()
    }
}

/// What is to happen must be something the drill's hall would take, as far as it can be told beforehand.
fn check_injects(prepared: &Prepared, policy: &Policy, at: UtcMillis) -> Result<(), DrillRefusal> {
    let empty = State::new(policy);
    for (index, inject) in prepared.injects.iter().enumerate() {
        decide(&empty, &inject.what.command(), at)
            .map_err(|rejection| DrillRefusal::Inject { index, rejection: Box::new(rejection) })?;
    }
    Ok(())
}

/// The hall of a drill: people, cameras and settings are the city's, everything else its own.
fn hall_of(
    home: &Hall,
    config: Config,
    rooms: Rooms<Exercise>,
    held: &Arc<Held>,
    identity: Identity,
) -> Hall {
    let Rooms { writer, reader, lists, mirror, hub, positions, files } = rooms;
    Hall {
        identity: Arc::new(identity),
        config: Arc::new(config),
        writer: Pen::Exercise(writer),
        reader,
        lists,
        mirror,
        hub,
        positions,
        files,
        clock: held.clock.clone(),
        shown: Shown::Driven(Arc::new(Director(held.clone()))),
        ..home.clone()
    }
}
