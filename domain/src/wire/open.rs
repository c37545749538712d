//! The topic `open`: every open case in at most 64 bytes, without its words, because there are tens of thousands of
//! cases and hundreds of screens.
//!
//! What should be here: the row as it travels and as both ends hold it, and the way between the two. A payload brings
//! the codes its rows use once, in a table of its own, and rows name them by their place in it: so that no two sides
//! have to agree on a numbering, and a screen learns no code of an area it does not follow.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{CaseLine, Keyed};
use crate::case::{Case, Priority, Stage};
use crate::clock::{Clock, Limit, Phase};
use crate::code::{AreaCode, CaseId, ClassCode, DepartmentCode};
use crate::moment::UtcMillis;
use crate::place::Point;

/// An open case (在办案件) as a screen holds it: enough for maps, counts, lamps and the choice of what to look at. Its
/// number, address and description are asked for when it is looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenCase {
    pub id: CaseId,
    /// Sequence number of the last event that changed it.
    pub version: u64,
    /// Finest first.
    pub area_path: Arc<[AreaCode]>,
    pub class: ClassCode,
    pub department: Option<DepartmentCode>,
    /// Who has taken it in hand (认领).
    pub claimed_by: Option<Arc<str>>,
    pub stage: Stage,
    pub stage_since: UtcMillis,
    pub priority: Priority,
    pub phase: Phase,
    /// Clock that runs now.
    pub started: Option<UtcMillis>,
    pub due: Option<UtcMillis>,
    /// With its extensions.
    pub limit: Option<Limit>,
    /// The due time lies beyond the days the calendar knows, and may still move.
    pub provisional: bool,
    pub place: Option<Point>,
}

impl OpenCase {
    /// None once the case is closed.
    #[must_use]
    pub fn of(case: &Case) -> Option<Self> {
        if !case.is_open() {
            return None;
        }
        let clock = case.leading_clock();
        Some(Self {
            id: case.id,
            version: case.version,
            area_path: case.area_path.as_slice().into(),
            class: case.report.class.clone(),
            department: case.department.clone(),
            claimed_by: case.claimed_by.as_deref().map(Arc::from),
            stage: case.stage,
            stage_since: case.stage_since,
            priority: case.report.priority,
            phase: clock.map_or(Phase::Running, |clock| clock.phase),
            started: clock.map(|clock| clock.started),
            due: clock.map(|clock| clock.due),
            limit: clock.and_then(Clock::whole),
            provisional: clock.is_some_and(|clock| clock.provisional),
            place: case.report.place,
        })
    }

    /// The case as lists show it: as it stands here, in the words of a line that was read earlier; without them it has
    /// none.
    #[must_use]
    pub fn with_words(&self, words: Option<&CaseLine>) -> CaseLine {
        CaseLine {
            id: self.id,
            number: words.map_or_else(String::new, |line| line.number.clone()),
            class: self.class.clone(),
            condition: words.and_then(|line| line.condition.clone()),
            area_path: self.area_path.to_vec(),
            address: words.map_or_else(String::new, |line| line.address.clone()),
            place: self.place,
            priority: self.priority,
            stage: self.stage,
            stage_since: self.stage_since,
            reported: words.map_or(self.stage_since, |line| line.reported),
            closed: None,
            started: self.started,
            due: self.due,
            limit: self.limit,
            phase: self.phase,
            provisional: self.provisional,
            claimed_by: self.claimed_by.as_deref().map(str::to_owned),
            department: self.department.clone(),
            round: words.map_or(1, |line| line.round),
            version: self.version,
        }
    }

    /// At most as many bytes as its row and its words take in a payload.
    #[must_use]
    pub fn weight(&self) -> usize {
        let areas = self.area_path.iter().map(|area| area.as_str());
        let department = self.department.as_ref().map(DepartmentCode::as_str);
        let words = areas.chain([self.class.as_str()]).chain(department).chain(self.claimed_by.as_deref());
        ROW_BYTES_MAX + words.map(|word| word.len() + WORD_BYTES).sum::<usize>()
    }
}

/// Largest row with its id and version, in bytes.
pub const ROW_BYTES_MAX: usize = 64;
/// What a word takes beside its text: its length and its place above.
const WORD_BYTES: usize = 8;

/// One text that rows of the same payload name by its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Word {
    pub text: String,
    /// For an area: the place of the one it lies in, which stands earlier.
    #[serde(default)]
    pub above: Option<u32>,
}

/// An open case on the wire. `area`, `class`, `department` and `claimed_by` are places in the payload's words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenRow {
    /// The finest area; those above follow from its word. None for a case without one.
    pub area: Option<u32>,
    pub class: u32,
    pub department: Option<u32>,
    pub claimed_by: Option<u32>,
    pub stage: Stage,
    pub stage_since: UtcMillis,
    pub priority: Priority,
    pub phase: Phase,
    pub started: Option<UtcMillis>,
    pub due: Option<UtcMillis>,
    pub limit: Option<Limit>,
    /// The due time lies beyond the days the calendar knows, and may still move.
    pub provisional: bool,
    pub place: Option<Point>,
}

/// Rows with the words they use.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct OpenRows {
    pub words: Vec<Word>,
    pub rows: Vec<Keyed<OpenRow>>,
}

/// Why rows of `open` cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenRowsError {
    #[error("a row or word names the word {0}, which is not there")]
    NoWord(u32),
    #[error("the word {0} is not a code")]
    NotACode(u32),
}

/// Longest way from a grid to its city, with room for one more level.
const PATH_MAX: usize = 8;

impl OpenRows {
    /// Rows as they travel: id, version and the case; none for a case that is gone.
    pub fn pack<'a>(cases: impl IntoIterator<Item = (u64, u64, Option<&'a OpenCase>)>) -> Self {
        let mut packed = Self::default();
        let mut places = Places::default();
        for (id, version, case) in cases {
            let row = case.map(|case| packed.row(case, &mut places));
            packed.rows.push(Keyed { id, version, row });
        }
        packed
    }

    fn row<'a>(&mut self, case: &'a OpenCase, places: &mut Places<'a>) -> OpenRow {
        let area = case
            .area_path
            .iter()
            .rev()
            .fold(None, |above, area| Some(self.place(area.as_str(), above, places)));
        OpenRow {
            area,
            class: self.place(case.class.as_str(), None, places),
            department: case.department.as_ref().map(|code| self.place(code.as_str(), None, places)),
            claimed_by: case.claimed_by.as_deref().map(|name| self.place(name, None, places)),
            stage: case.stage,
            stage_since: case.stage_since,
            priority: case.priority,
            phase: case.phase,
            started: case.started,
            due: case.due,
            limit: case.limit,
            provisional: case.provisional,
            place: case.place,
        }
    }

    fn place<'a>(&mut self, text: &'a str, above: Option<u32>, places: &mut Places<'a>) -> u32 {
        *places.entry((text, above)).or_insert_with(|| {
            self.words.push(Word { text: text.to_owned(), above });
            u32::try_from(self.words.len() - 1).unwrap_or(u32::MAX)
        })
    }

    /// The cases as a screen holds them. Codes are shared between rows.
    pub fn unpack(&self) -> Result<Vec<Unpacked>, OpenRowsError> {
        let mut codes = Codes::of(&self.words);
        let case = |keyed: &Keyed<OpenRow>, codes: &mut Codes| {
            let Some(row) = &keyed.row else { return Ok(None) };
            Ok(Some(OpenCase {
                id: CaseId(keyed.id),
                version: keyed.version,
                area_path: codes.path(row.area)?,
                class: codes.class(row.class)?,
                department: row.department.map(|place| codes.department(place)).transpose()?,
                claimed_by: row.claimed_by.map(|place| codes.name(place)).transpose()?,
                stage: row.stage,
                stage_since: row.stage_since,
                priority: row.priority,
                phase: row.phase,
                started: row.started,
                due: row.due,
                limit: row.limit,
                provisional: row.provisional,
                place: row.place,
            }))
        };
        let rows = self.rows.iter();
        rows.map(|keyed| Ok(Keyed { id: keyed.id, version: keyed.version, row: case(keyed, &mut codes)? }))
            .collect()
    }
}

/// A row with its codes.
pub type Unpacked = Keyed<OpenCase>;

type Places<'a> = HashMap<(&'a str, Option<u32>), u32>;

/// The words of a payload as codes, each made once.
struct Codes<'a> {
    words: &'a [Word],
    paths: Vec<Option<Arc<[AreaCode]>>>,
    classes: Vec<Option<ClassCode>>,
    departments: Vec<Option<DepartmentCode>>,
    names: Vec<Option<Arc<str>>>,
}

impl<'a> Codes<'a> {
    fn of(words: &'a [Word]) -> Self {
        let count = words.len();
        Self {
            words,
            paths: vec![None; count],
            classes: vec![None; count],
            departments: vec![None; count],
            names: vec![None; count],
        }
    }

    fn word(&self, place: u32) -> Result<&'a Word, OpenRowsError> {
        self.words.get(place as usize).ok_or(OpenRowsError::NoWord(place))
    }

    fn path(&mut self, place: Option<u32>) -> Result<Arc<[AreaCode]>, OpenRowsError> {
        let Some(place) = place else { return Ok(Arc::from([])) };
        if let Some(Some(path)) = self.paths.get(place as usize) {
            return Ok(path.clone());
        }
        let mut path = Vec::new();
        let mut next = Some(place);
        while let Some(at) = next.filter(|_| path.len() < PATH_MAX) {
            let word = self.word(at)?;
            path.push(word.text.parse::<AreaCode>().map_err(|_| OpenRowsError::NotACode(at))?);
            // Only upwards: no words can lead in a circle.
            next = word.above.filter(|above| *above < at);
        }
        let path: Arc<[AreaCode]> = path.into();
        self.paths[place as usize] = Some(path.clone());
        Ok(path)
    }

    fn class(&mut self, place: u32) -> Result<ClassCode, OpenRowsError> {
        let word = self.word(place)?;
        once(&mut self.classes, place, || word.text.parse::<ClassCode>().ok())
    }

    fn department(&mut self, place: u32) -> Result<DepartmentCode, OpenRowsError> {
        let word = self.word(place)?;
        once(&mut self.departments, place, || word.text.parse::<DepartmentCode>().ok())
    }

    fn name(&mut self, place: u32) -> Result<Arc<str>, OpenRowsError> {
        let word = self.word(place)?;
        once(&mut self.names, place, || Some(Arc::from(word.text.as_str())))
    }
}

fn once<T: Clone>(
    made: &mut [Option<T>],
    place: u32,
    make: impl FnOnce() -> Option<T>,
) -> Result<T, OpenRowsError> {
    let made = &mut made[place as usize];
    if made.is_none() {
        *made = make();
    }
    made.clone().ok_or(OpenRowsError::NotACode(place))
}
