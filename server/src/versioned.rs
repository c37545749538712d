//! Keyed state with versions: the newest value of every key, which keys changed after a version, and the state hash, of
//! everything and of each part.
//!
//! Pure: no locks, no clock. Memory is bounded by the keys that exist, by the parts that are followed and by a fixed number of
//! tombstones.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::code::{AreaCode, DepartmentCode};
use domain::scope::Scope;
use domain::whistle::Whistle;
use domain::wire::{OpenCase, OverdueRow, Part};

/// Keys that are gone but remembered, so that a client which still has them can be told. Past that the oldest are
/// forgotten and clients from before then start anew.
const TOMBSTONES_MAX: usize = 20_000;

/// Where a value belongs: the areas whose topics show it, and the departments whose business it is.
pub trait Placed {
    fn areas(&self) -> &[AreaCode];

    fn departments(&self) -> impl Iterator<Item = &DepartmentCode> {
        std::iter::empty()
    }

    /// Whether a part shows it.
    fn is_in(&self, part: &Part) -> bool {
        match part {
            Part::Area(code) => self.areas().contains(code),
            Part::Own(scope) => scope.as_ref().is_some_and(|scope| self.is_within(scope)),
        }
    }

    fn is_within(&self, scope: &Scope) -> bool {
        scope.admits(self.areas(), self.departments())
    }

    /// Whether every part that shows `other` shows this as well.
    fn covers(&self, other: &Self) -> bool {
        other.areas().iter().all(|area| self.areas().contains(area))
            && other.departments().all(|department| self.departments().any(|own| own == department))
    }
}

impl Placed for Arc<OverdueRow> {
    fn areas(&self) -> &[AreaCode] {
        &self.area_path
    }
}

impl Placed for Arc<OpenCase> {
    fn areas(&self) -> &[AreaCode] {
        &self.area_path
    }

    fn departments(&self) -> impl Iterator<Item = &DepartmentCode> {
        self.department.iter()
    }
}

impl Placed for Arc<Whistle> {
    fn areas(&self) -> &[AreaCode] {
        &self.area_path
    }

    fn departments(&self) -> impl Iterator<Item = &DepartmentCode> {
        self.called.iter().map(|called| &called.department)
    }
}

/// The version of the last change, readable without a lock: whoever follows looks here whether there is anything new.
#[derive(Debug, Clone, Default)]
pub struct Head(Arc<AtomicU64>);

impl Head {
    #[must_use]
    pub fn at(version: u64) -> Self {
        Self(Arc::new(AtomicU64::new(version)))
    }

    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    pub fn raise(&self, version: u64) {
        self.0.fetch_max(version, Ordering::AcqRel);
    }

    /// Whether anybody holds it beside its owner.
    #[must_use]
    pub fn is_followed(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }
}

/// Where a part stands.
#[derive(Debug)]
struct Stand {
    head: Head,
    hash: u64,
}

impl Stand {
    fn take(&mut self, part: u64, version: u64) {
        self.hash ^= part;
        self.head.raise(version);
    }
}

/// Values of one keyed topic.
#[derive(Debug)]
pub struct Versioned<K, V> {
    head: Head,
    /// A client that stands below may have keys whose removal is forgotten.
    horizon: u64,
    hash: u64,
    rows: BTreeMap<K, Row<V>>,
    /// Every change in order of version; an entry counts when its row still has this version.
    log: VecDeque<(u64, K)>,
    tombstones: usize,
    areas: HashMap<AreaCode, Stand>,
    /// Parts of readers that are no area, as long as somebody follows them.
    own: HashMap<Arc<Scope>, Stand>,
    /// Where it began: an area without a change since has this head.
    began: u64,
}

#[derive(Debug)]
struct Row<V> {
    version: u64,
    value: Option<V>,
    /// This key's part of the hash.
    part: u64,
    /// As it was where it may have left: the topics of those parts are told that it is gone.
    was: Vec<V>,
}

/// A stretch of changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Stretch<K, V> {
    pub to: u64,
    /// Key, version, value; none when the key is gone.
    pub rows: Vec<(K, u64, Option<V>)>,
}

/// The client stands below the horizon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooFarBehind;

impl<K: Clone + Ord, V: Clone + Placed> Versioned<K, V> {
    /// The state at `version`, from which on every change is known.
    pub fn start(version: u64, rows: impl IntoIterator<Item = (K, u64, V, u64)>) -> Self {
        let mut state = Self {
            head: Head::at(version),
            horizon: version,
            hash: 0,
            rows: BTreeMap::new(),
            log: VecDeque::new(),
            tombstones: 0,
            areas: HashMap::new(),
            own: HashMap::new(),
            began: version,
        };
        for (key, row_version, value, part) in rows {
            state.hash ^= part;
            for code in value.areas() {
                state.area(code).hash ^= part;
            }
            state.rows.insert(key, Row { version: row_version, value: Some(value), part, was: Vec::new() });
        }
        state
    }

    /// The version of the last change, of everything or of a part.
    pub fn head(&mut self, part: Option<&Part>) -> Head {
        match part {
            None => self.head.clone(),
            Some(Part::Area(code)) => self.area(code).head.clone(),
            Some(Part::Own(Some(scope))) => self.own(scope).head.clone(),
            Some(Part::Own(None)) => Head::at(self.began),
        }
    }

    /// State hash of everything or of a part, with the version it holds from.
    #[must_use]
    pub fn hash(&self, part: Option<&Part>) -> (u64, u64) {
        let of = |stand: &Stand| (stand.head.get(), stand.hash);
        match part {
            None => (self.head.get(), self.hash),
            Some(Part::Area(code)) => self.areas.get(code).map_or((self.began, 0), of),
            Some(Part::Own(Some(scope))) => {
                self.own.get(scope).map_or_else(|| (self.head.get(), self.hash_within(scope)), of)
            }
            Some(Part::Own(None)) => (self.began, 0),
        }
    }

    fn hash_within(&self, scope: &Scope) -> u64 {
        let within = |row: &&Row<V>| row.value.as_ref().is_some_and(|value| value.is_within(scope));
        self.rows.values().filter(within).fold(0, |hash, row| hash ^ row.part)
    }

    /// The present value.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.rows.get(key)?.value.as_ref()
    }

    /// Sets or, with none, removes a key. Versions must not fall. `part` is the key's part of the hash.
    pub fn set(&mut self, key: K, version: u64, value: Option<V>, part: u64) {
        debug_assert!(version >= self.head.get(), "changes come in order of version");
        if value.is_none() && self.get(&key).is_none() {
            return;
        }
        let previous = self.rows.remove(&key);
        let was_known = previous.is_some();
        let (old, old_part, mut was) =
            previous.map_or((None, 0, Vec::new()), |row| (row.value, row.part, row.was));
        let part = if value.is_some() { part } else { 0 };
        self.hash ^= old_part ^ part;
        self.head.raise(version);
        for (value, part) in [(&old, old_part), (&value, part)] {
            let Some(value) = value else { continue };
            for code in value.areas() {
                self.area(code).take(part, version);
            }
            for (_, own) in self.own.iter_mut().filter(|(scope, _)| value.is_within(scope)) {
                own.take(part, version);
            }
        }
        if let Some(old) = old.as_ref().filter(|old| value.as_ref().is_none_or(|value| !value.covers(old))) {
            was.retain(|before: &V| !old.covers(before));
            was.push(old.clone());
        }
        match (&value, &old) {
            (None, _) => self.tombstones += 1,
            (Some(_), None) if was_known => self.tombstones -= 1,
            (Some(_), _) => {}
        }
        self.log.push_back((version, key.clone()));
        self.rows.insert(key, Row { version, value, part, was });
        self.forget();
    }

    fn area(&mut self, code: &AreaCode) -> &mut Stand {
        // Looked for first: most areas are there, and the key would be made for nothing.
        if !self.areas.contains_key(code) {
            self.areas.insert(code.clone(), Stand { head: Head::at(self.began), hash: 0 });
        }
        self.areas.get_mut(code).expect("it is there now")
    }

    /// Counted from now on, until nobody follows it: every change asks each of these.
    fn own(&mut self, scope: &Arc<Scope>) -> &mut Stand {
        if !self.own.contains_key(scope) {
            self.own.retain(|_, stand| stand.head.is_followed());
            let stand = Stand { head: Head::at(self.head.get()), hash: self.hash_within(scope) };
            self.own.insert(scope.clone(), stand);
        }
        self.own.get_mut(scope).expect("it is there now")
    }

    /// Values after `after` in the order of keys, at most `count`, of everything or of a part: a snapshot is copied in
    /// such bites, so that nobody waits for a whole one.
    pub fn bite(&self, after: Option<&K>, count: usize, part: Option<&Part>) -> Bite<K, V> {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = after.map_or(Unbounded, Excluded);
        let mut bite = Bite { rows: Vec::new(), last: None };
        for (at, (key, row)) in self.rows.range::<K, _>((from, Unbounded)).enumerate() {
            if at == count {
                return bite;
            }
            bite.last = Some(key.clone());
            if let Some(value) = row.value.as_ref().filter(|value| is_in(*value, part)) {
                bite.rows.push((key.clone(), row.version, value.clone()));
            }
        }
        bite.last = None;
        bite
    }

    /// How many keys have a value.
    #[must_use]
    pub fn count(&self) -> usize {
        self.rows.len() - self.tombstones
    }

    /// Keys changed after `from` and not after `upto`, at most about `rows_max` of them, of everything or of a part: a
    /// stretch ends between two versions. A key changed again later comes with the later stretch.
    pub fn since(
        &self,
        from: u64,
        upto: u64,
        rows_max: usize,
        part: Option<&Part>,
    ) -> Result<Stretch<K, V>, TooFarBehind> {
        if from < self.horizon {
            return Err(TooFarBehind);
        }
        let begin = self.log.partition_point(|(version, _)| *version <= from);
        let mut rows: Vec<(K, u64, Option<V>)> = Vec::new();
        for (version, key) in self.log.range(begin..) {
            if *version > upto {
                break;
            }
            if rows.len() >= rows_max && rows.last().is_some_and(|(_, last, _)| last != version) {
                let to = rows.last().map_or(from, |(_, last, _)| *last);
                return Ok(Stretch { to, rows });
            }
            let Some(row) = self.rows.get(key).filter(|row| row.version == *version) else { continue };
            let here = row.value.as_ref().filter(|value| is_in(*value, part));
            if here.is_some() || part.is_none_or(|part| row.was.iter().any(|was| was.is_in(part))) {
                rows.push((key.clone(), row.version, here.cloned()));
            }
        }
        Ok(Stretch { to: upto.max(from), rows })
    }

    fn forget(&mut self) {
        if self.log.len() > 2 * self.rows.len() + 1_024 {
            let rows = &self.rows;
            self.log.retain(|(version, key)| rows.get(key).is_some_and(|row| row.version == *version));
        }
        if self.tombstones > TOMBSTONES_MAX {
            let gone = |(version, key): &&(u64, K)| {
                self.rows.get(key).is_some_and(|row| row.value.is_none() && row.version == *version)
            };
            let gone: Vec<(u64, K)> =
                self.log.iter().filter(gone).take(TOMBSTONES_MAX / 2).cloned().collect();
            for (version, key) in gone {
                self.rows.remove(&key);
                self.tombstones -= 1;
                self.horizon = self.horizon.max(version);
            }
        }
    }
}

/// A part of everything.
#[derive(Debug)]
pub struct Bite<K, V> {
    pub rows: Vec<(K, u64, V)>,
    /// Where the next one begins; none when this was the last.
    pub last: Option<K>,
}

fn is_in<V: Placed>(value: &V, part: Option<&Part>) -> bool {
    part.is_none_or(|part| value.is_in(part))
}
