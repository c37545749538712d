//! A hall (格厅) as a value: log, writer, hub, lists, positions and the clock they all go by. A process may hold several.
//!
//! What should be here: what a hall consists of, and how it is opened. What should not: listening, routes (`http`), which worlds
//! are open (`world`).

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use domain::adoption::InForce;
use domain::catalogue::Catalogue;
use domain::policy::Policy;
use domain::scene::Walls;
use domain::scope::Scope;
use domain::state::State;
use metrics_exporter_prometheus::PrometheusHandle;

use crate::access::{Access, PathOf};
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::drill::Drills;
use crate::events::Reader;
use crate::files::Files;
use crate::lists::Lists;
use crate::live::{Build, Hub};
use crate::position::{Accepts, Areas, Positions, WorksIn};
use crate::publish::{Follow, Listeners, Mirror};
use crate::stored::state::{Known, SECTIONS};
use crate::video::Video;
use crate::views::from_log::LogSource;
use crate::views::reserve::Reserve;
use crate::views::{Belongs, Builder, Settings};
use crate::world::{Identity, Shown, World, Worlds};
use crate::writer::pen::Pen;
use crate::writer::store::Store;
use crate::writer::{self, Publisher, Writer};

/// Everything a route may need. Cheap to clone.
#[derive(Clone)]
pub struct Hall {
    /// Which world it shows.
    pub identity: Arc<Identity>,
    pub config: Arc<Config>,
    /// Its walls and scenes.
    pub walls: Arc<Walls>,
    /// Who may come in: the same for all halls of a process.
    pub access: Access,
    /// What accounts, sessions and tokens go by: the process's own clock, whatever time the hall shows.
    pub at_door: Clock,
    pub writer: Pen,
    pub reader: Reader,
    /// Every list of cases and whistle calls.
    pub lists: Lists,
    pub mirror: Mirror,
    pub hub: Hub,
    pub positions: Positions,
    /// Files of its cases.
    pub files: Files,
    pub video: Video,
    pub metrics: PrometheusHandle,
    /// What this hall goes by.
    pub clock: Clock,
    /// Whose clock that is, and who drives it.
    pub shown: Shown,
    /// The other halls of the process.
    pub worlds: Worlds,
    /// The drills of the process.
    pub drills: Drills,
}

impl Hall {
    /// In which areas an area lies, as the catalogue has it now.
    pub(crate) fn path_of(&self) -> PathOf {
        let mirror = self.mirror.clone();
        Arc::new(move |area| mirror.read(|view| view.catalogue.clone()).path(area))
    }

    /// The policy in force with its version.
    #[must_use]
    pub fn in_force(&self) -> InForce {
        self.of_one_moment().1
    }

    /// The codes, and the policy in force with its version, as they stood together.
    #[must_use]
    pub fn of_one_moment(&self) -> (Arc<Catalogue>, InForce) {
        let (catalogue, policy) = self.mirror.read(|view| (view.catalogue.clone(), view.policy.clone()));
        (catalogue, policy.expect("the writer tells the mirror before there is a hall"))
    }

    #[must_use]
    pub fn policy(&self) -> Arc<Policy> {
        self.in_force().policy
    }

    /// Where an inspector works: the areas their token names, with those these lie in.
    #[must_use]
    pub fn works_in(&self) -> WorksIn {
        let (access, path_of) = (self.access.clone(), self.path_of());
        Arc::new(move |inspector| {
            Some(match access.works_in(inspector.as_str())? {
                Scope::Within { areas, departments: _ } => {
                    areas.iter().flat_map(|area| path_of(area)).collect()
                }
                Scope::All => Areas::from([]),
            })
        })
    }
}

/// In which forms a build keeps what it derives from the log.
#[derive(Debug, Clone)]
pub struct Forms {
    /// Of the state.
    pub sections: &'static [Known],
    /// Version of the views.
    pub views: u32,
    /// Older versions of them that serve while they are laid out; none leaves it to the views.
    pub reads_older: Option<Vec<u32>>,
    /// The views are laid out without any break.
    pub full_speed: bool,
}

impl Default for Forms {
    fn default() -> Self {
        Self { sections: &SECTIONS, views: crate::views::sql::VERSION, reads_older: None, full_speed: false }
    }
}

/// An opened store, and how a hall is to be made of it.
pub struct Opening<'a, W: World> {
    /// Its `store.dir` is the folder of this hall.
    pub config: &'a Config,
    pub store: Store,
    pub state: State,
    pub clock: Clock,
    /// Who else goes by the policy in force.
    pub follow: Vec<Follow>,
    /// Who else is told of every commit, after everybody who shows it.
    pub beside: Vec<Box<dyn Publisher<W>>>,
    pub forms: Forms,
}

/// What a hall that is written in has for itself.
pub struct Rooms<W: World> {
    pub writer: Writer<W>,
    pub reader: Reader,
    pub lists: Lists,
    pub mirror: Mirror,
    pub hub: Hub,
    pub positions: Positions,
    pub files: Files,
}

impl<W: World> Rooms<W> {
    /// Starts what stands on an opened store. Must be called within a tokio runtime.
    pub fn open(opening: Opening<'_, W>) -> anyhow::Result<Self> {
        let Opening { config, store, state, clock, mut follow, beside, forms } = opening;
        let policy = state.policy().clone();
        let (mirror, lists) = (Mirror::default(), Lists::new(policy.utc_offset_minutes));
        let (reader, epoch, genesis) = (store.reader(), store.epoch(), store.genesis().clone());
        let reserve = Reserve::of_mib(config.store.reserve_mib);
        let files = Files::open(&config.store.dir, config.files.clone(), reserve, &reader)
            .context("cannot open the room of files")?;
        let accepts = Accepts::of(&policy);
        let positions =
            Positions::open(Some(&config.store.dir), config.positions.clone(), accepts, clock.clone())
                .context("cannot open the positions")?;
        let accepting = positions.clone();
        follow.push(Box::new(move |policy| accepting.accept(Accepts::of(policy))));
        let build = Build::of(config.server.site.clone());
        let (hub, publisher) = Hub::new::<W>(config.live.clone(), positions.clone(), build, clock.clone());
        let (heard, told) = (lists.clone(), mirror.clone());
        let listeners = Box::new(Listeners { hub: publisher, lists: heard, mirror: told, follow, beside });
        let confirm_after = Duration::from_secs(60 * u64::from(config.server.clock_confirm_minutes));
        let writer = writer::spawn_doubting(store, state, listeners, clock.clone(), confirm_after);
        let belongs = Belongs { epoch, offset: policy.utc_offset_minutes, version: forms.views };
        let source = Box::new(LogSource::new(reader.clone(), epoch, genesis).in_forms(forms.sections));
        let settings = laying_out(&config.store, (belongs, source), &writer, (forms, clock));
        match Builder::start(settings, lists.present()) {
            Ok(builder) => lists.serve(builder),
            // The hall serves without: what is open comes from memory, and the log has everything.
            Err(error) => tracing::error!(error = %error, "closed cases are not in the lists"),
        }
        Ok(Self { writer, reader, lists, mirror, hub, positions, files })
    }
}

/// How the views are laid out beside a writer, which goes first.
fn laying_out<W: World>(
    store: &config::Store,
    (belongs, source): (Belongs, Box<LogSource>),
    writer: &Writer<W>,
    (forms, clock): (Forms, Clock),
) -> Settings {
    let commits = writer.commit_times();
    let gauge = Arc::new(move || commits.p99());
    let mut settings = Settings::new(store.dir.clone(), belongs, source, gauge, clock);
    settings.full_speed = forms.full_speed;
    settings.reads_older = forms.reads_older.unwrap_or(settings.reads_older);
    settings.reserve = Reserve::of_mib(store.reserve_mib);
    settings.refused = Box::new(writer.fullness());
    settings
}
