//! What a commit means for the topics: made by the writer, who alone has the state, and handed over. It takes no lock
//! that a reader may hold.
//!
//! Pure. What should not be here: how the topics keep it (`topics`).

use domain::case::Case;
use domain::catalogue::{AreaLevel, Catalogue};
use domain::code::AreaCode;
use domain::event::{Event, PolicyEvent, Recorded};
use domain::state::{Changes, State};
use domain::tally::{Count, Dimension, TallyKey};
use domain::whistle::Whistle;
use domain::wire::{EventLine, OpenCase, OverdueRow};
use std::collections::HashMap;
use std::sync::Arc;

use crate::versioned::Placed;

/// The areas a tally cell belongs to, finest first.
pub type Path = Arc<[AreaCode]>;

/// How areas lie: each with those it lies in, finest first.
pub type Paths = HashMap<AreaCode, Path>;

/// A tally cell with the areas whose topics have it.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    pub value: Count,
    pub areas: Path,
}

impl Placed for Cell {
    fn areas(&self) -> &[AreaCode] {
        &self.areas
    }
}

/// One commit, ready to be taken over.
#[derive(Debug, Default)]
pub struct Digest {
    /// In order of version; zero means the cell is gone.
    pub cells: Vec<(u64, Arc<TallyKey>, Cell)>,
    pub cases: Vec<CaseChange>,
    pub whistles: Vec<(u64, u64, Option<Arc<Whistle>>)>,
    pub lines: Vec<Arc<EventLine>>,
    /// All areas, when there are others or they lie differently now.
    pub paths: Option<Paths>,
    /// Version of the policy, where another one came into force.
    pub policy: Option<u64>,
}

/// One case as an event left it.
#[derive(Debug)]
pub struct CaseChange {
    pub seq: u64,
    pub id: u64,
    pub overdue: Option<Arc<OverdueRow>>,
    pub open: Option<Arc<OpenCase>>,
}

impl CaseChange {
    #[must_use]
    pub fn of(case: &Case, seq: u64) -> Self {
        let (overdue, open) = (OverdueRow::of(case).map(Arc::new), OpenCase::of(case).map(Arc::new));
        Self { seq, id: case.id.0, overdue, open }
    }
}

/// Makes digests; knows how the areas on the feed lie, because every event is counted in dozens of cells.
#[derive(Debug, Default)]
pub struct Digester {
    paths: Paths,
}

impl Digester {
    /// How all areas lie.
    pub fn all_paths(&mut self, catalogue: &Catalogue) -> Paths {
        self.paths = catalogue.areas.keys().map(|code| (code.clone(), catalogue.path(code).into())).collect();
        self.paths.clone()
    }

    /// All cells on the feed, with their areas.
    pub fn cells<'a>(
        &'a mut self,
        state: &'a State,
    ) -> impl Iterator<Item = (Arc<TallyKey>, Cell)> + use<'a> {
        self.all_paths(&state.catalogue);
        state.tally.iter().filter_map(|(key, value)| {
            let areas = self.path(&state.catalogue, key)?;
            Some((Arc::new(key.clone()), Cell { value, areas }))
        })
    }

    /// What the events mean. `state` is the state after the last of them.
    pub fn digest<'a>(
        &mut self,
        state: &State,
        committed: impl IntoIterator<Item = (&'a Recorded, &'a Changes)>,
    ) -> Digest {
        let mut digest = Digest::default();
        let mut cells: HashMap<&TallyKey, u64> = HashMap::new();
        let mut defines = false;
        for (recorded, changes) in committed {
            for key in &changes.tally {
                cells.insert(key, recorded.seq);
            }
            if let Some(case) = &changes.case {
                digest.cases.push(CaseChange::of(case, recorded.seq));
            }
            if let Some(whistle) = &changes.whistle {
                let row = whistle.closed.is_none().then(|| Arc::new(whistle.clone()));
                digest.whistles.push((recorded.seq, whistle.id.0, row));
            }
            if let Event::Policy(PolicyEvent::Adopted(adopted)) = &recorded.event {
                digest.policy = Some(adopted.version);
            }
            defines |= changes.case.is_none() && changes.whistle.is_none();
            digest.lines.push(Arc::new(line(recorded, changes.case.as_ref())));
        }
        if defines && self.lie_differently(&state.catalogue) {
            digest.paths = Some(self.all_paths(&state.catalogue));
        }
        let mut cells: Vec<(u64, &TallyKey)> = cells.into_iter().map(|(key, seq)| (seq, key)).collect();
        cells.sort_unstable();
        for (seq, key) in cells {
            if let Some(areas) = self.path(&state.catalogue, key) {
                digest.cells.push((seq, Arc::new(key.clone()), Cell { value: state.tally.get(key), areas }));
            }
        }
        digest
    }

    /// The areas of a cell on the feed; none for one that is not. The feed carries the city, districts, streets, sources
    /// and classes. Communities and grids are read over REST.
    fn path(&self, catalogue: &Catalogue, key: &TallyKey) -> Option<Path> {
        let code = match &key.dimension {
            Dimension::City | Dimension::Source(_) | Dimension::Class(_) => return Some(Path::from([])),
            Dimension::Area(code) => code,
        };
        if catalogue.areas.get(code).is_none_or(|area| area.level > AreaLevel::Street) {
            return None;
        }
        self.paths.get(code).cloned()
    }

    /// Looks whether there are other areas, or one has come to lie elsewhere.
    fn lie_differently(&self, catalogue: &Catalogue) -> bool {
        let same =
            |code: &AreaCode| self.paths.get(code).is_some_and(|path| catalogue.path(code) == path[..]);
        self.paths.len() != catalogue.areas.len() || !catalogue.areas.keys().all(same)
    }
}

/// The line of one event. Whistle events carry no case, whichever way they are read.
#[must_use]
pub fn line(recorded: &Recorded, case: Option<&Case>) -> EventLine {
    EventLine::of(recorded, case.filter(|_| recorded.event.whistle().is_none()))
}
