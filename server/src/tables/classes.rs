//! Rows of a table of classes (小类、立案条件、时限): one row a condition, those of a class below each other.
//!
//! What should be here: what each cell must be, and a fault for each that is not. What should not: what becomes of the policy (`lay`).

use std::collections::BTreeMap;

use domain::catalogue::{Class, ClassKind, Milestone, Name};
use domain::clock::{Counts, spoken};
use domain::code::{ClassCode, ConditionCode};
use domain::policy::Policy;
use domain::text::{TextKind, check_text};

use super::Tables;
use super::grid::{Cell, Row, Sheet, letters, one_line};
use super::header::{Column, Header};

mod conditions;

/// What tables say of classes.
#[derive(Debug, Default)]
pub struct Classes {
    pub drafts: Vec<Draft>,
    /// Rows of which it is not known to which class they belong.
    pub lost: bool,
    places: BTreeMap<ClassCode, usize>,
    /// Codes of conditions by where they stand.
    conditions: BTreeMap<ConditionCode, String>,
}

impl Classes {
    /// Codes of conditions that stand in the tables, by where they stand.
    pub fn given(&self) -> &BTreeMap<ConditionCode, String> {
        &self.conditions
    }
}

/// One class as a table has it.
#[derive(Debug)]
pub struct Draft {
    pub class: Class,
    pub conditions: Vec<DraftCondition>,
    /// One of its cells is wrong: nothing of it is taken.
    pub bad: bool,
    /// Where it stands first, for messages.
    stands: String,
}

#[derive(Debug)]
pub struct DraftCondition {
    /// None where the table gives none: it is found by its words.
    pub code: Option<ConditionCode>,
    pub name: Name,
    pub milestones: Vec<Milestone>,
    pub close: Option<Name>,
}

/// A cell that is not what it must be; its fault is told.
struct Bad;

type Of<T> = Result<T, Bad>;

/// What the rows before say of the next that is silent.
struct Above {
    class: Current,
    kind: Option<ClassKind>,
    main: Option<Name>,
}

#[derive(Clone, Copy)]
enum Current {
    None,
    /// The cell that says it is wrong.
    Lost,
    Draft(usize),
}

struct Rows<'a> {
    sheet: &'a Sheet,
    header: &'a Header,
    policy: &'a Policy,
    plain: Counts,
    tables: &'a mut Tables,
    above: Above,
}

/// Reads the rows below the header.
pub fn read(sheet: &Sheet, header: &Header, policy: &Policy, plain: Counts, tables: &mut Tables) {
    let above = Above { class: Current::None, kind: None, main: None };
    let mut rows = Rows { sheet, header, policy, plain, tables, above };
    sheet.rows.iter().filter(|row| row.number > header.row).for_each(|row| rows.row(row));
    rows.tables.classes.lost |= sheet.cut_at.is_some();
}

impl Rows<'_> {
    fn row(&mut self, row: &Row) {
        if let Some(broken) = &row.broken {
            self.tables.faults.push(self.sheet.fault(row.number, None, "", broken));
            (self.tables.classes.lost, self.above.class) = (true, Current::Lost);
            return;
        }
        if !row.cells.keys().any(|at| self.header.reads(*at)) {
            return;
        }
        let class = self.class(row);
        let condition = self.condition(row, class);
        match (class, condition) {
            (Current::Draft(at), Ok(condition)) => self.tables.classes.drafts[at].conditions.push(condition),
            (Current::Draft(at), Err(Bad)) => self.tables.classes.drafts[at].bad = true,
            (Current::None | Current::Lost, _) => self.tables.classes.lost = true,
        }
        self.above.class = class;
    }

    /// The class a row belongs to.
    fn class(&mut self, row: &Row) -> Current {
        let (code, name) =
            (self.text(row, Column::Code, TextKind::Id), self.name(row, Column::Name, Column::NameEn));
        let (code, name) = match (code, name) {
            (Ok(None), Ok(None)) => {
                return match self.above.class {
                    Current::None => {
                        let _ = self.wrong::<()>(row, Column::Code, "is empty; expected the code of a class");
                        Current::Lost
                    }
                    above @ (Current::Lost | Current::Draft(_)) => above,
                };
            }
            (Ok(Some(code)), name) => (code, name),
            (Ok(None), _) => {
                let _ = self.wrong::<()>(
                    row,
                    Column::Code,
                    "is empty; expected the code of the class named beside it",
                );
                return Current::Lost;
            }
            (Err(Bad), _) => return Current::Lost,
        };
        let code = match ClassCode::new(&*spoken::narrow(&code)) {
            Ok(code) => code,
            Err(error) => {
                let _ = self.wrong::<()>(row, Column::Code, error.to_string());
                return Current::Lost;
            }
        };
        if code.as_str().len() > CLASS_BYTES_MAX {
            let problem =
                format!("has more than {CLASS_BYTES_MAX} bytes; its conditions have a number behind it");
            let _ = self.wrong::<()>(row, Column::Code, problem);
            return Current::Lost;
        }
        match self.tables.classes.places.get(&code).copied() {
            Some(at) => self.again(row, at, name),
            None => self.first(row, code, name),
        }
    }

    /// A class that stands here for the first time.
    fn first(&mut self, row: &Row, code: ClassCode, name: Of<Option<Name>>) -> Current {
        let was = self.policy.classes.iter().find(|class| class.code == code).cloned();
        let name = name.and_then(|name| match name {
            Some(name) => Ok(name),
            None => self.wrong(row, Column::Name, "is empty; expected the name of the class"),
        });
        let kind = self.kind(row, was.as_ref());
        let main = self.main(row);
        let short = self.name(row, Column::Short, Column::ShortEn);
        let (key, weight) = (self.key(row), self.weight(row));
        let bad = name.is_err()
            || kind.is_err()
            || main.is_err()
            || short.is_err()
            || key.is_err()
            || weight.is_err();
        let column_or = |column, said: Option<Name>, was: Option<Name>| match self.header.at(column) {
            Some(_) => said,
            None => was,
        };
        // What the table has no column for stays as it is in the policy; what it says in Chinese alone keeps its English.
        let class = Class {
            code: code.clone(),
            kind: kind.unwrap_or(ClassKind::Event),
            name: kept(name.ok(), was.as_ref().map(|was| &was.name)).unwrap_or_default(),
            main: column_or(
                Column::Main,
                main.unwrap_or_default(),
                was.as_ref().and_then(|was| was.main.clone()),
            ),
            short: column_or(
                Column::Short,
                short.unwrap_or_default(),
                was.as_ref().and_then(|was| was.short.clone()),
            ),
            key: key.unwrap_or_default().unwrap_or_else(|| was.as_ref().is_some_and(|was| was.key)),
            base_weight: match self.header.at(Column::Weight) {
                Some(_) => weight.unwrap_or_default(),
                None => was.as_ref().and_then(|was| was.base_weight),
            },
            disposal_limit: was.and_then(|was| was.disposal_limit),
            retired: false,
        };
        let stands = self.stands(row);
        let classes = &mut self.tables.classes;
        classes.drafts.push(Draft { class, conditions: Vec::new(), bad, stands });
        classes.places.insert(code, classes.drafts.len() - 1);
        Current::Draft(classes.drafts.len() - 1)
    }

    /// A further row of a class: what it says of the class must be what was said.
    fn again(&mut self, row: &Row, at: usize, name: Of<Option<Name>>) -> Current {
        let (is, stands) =
            (self.tables.classes.drafts[at].class.clone(), self.tables.classes.drafts[at].stands.clone());
        let mut bad = name.is_err() | self.main(row).is_err();
        if let Ok(Some(name)) = name
            && name.zh != is.name.zh
        {
            let problem = format!("the code {} is that of {:?} in {stands}", is.code, is.name.zh);
            bad |= self.wrong::<()>(row, Column::Name, problem).is_err();
        }
        if self.is_stated(row, Column::Kind) {
            let kind = self.kind(row, None);
            bad |= kind.is_err();
            if kind.is_ok_and(|kind| kind != is.kind) {
                let problem = format!(
                    "the code {} is that of another kind in {stands}; parts and events have codes of their own, such as P01-01 and E01-01",
                    is.code
                );
                bad |= self.wrong::<()>(row, Column::Kind, problem).is_err();
            }
        }
        for (column, same) in [
            (Column::Key, self.key(row).map(|key| key.is_none_or(|key| key == is.key))),
            (Column::Weight, self.weight(row).map(|weight| weight.is_none() || weight == is.base_weight)),
        ] {
            match same {
                Ok(true) => {}
                Ok(false) if !self.is_stated(row, column) => {}
                Ok(false) => {
                    let problem = format!("says something else of the class {} than {stands}", is.code);
                    bad |= self.wrong::<()>(row, column, problem).is_err();
                }
                Err(Bad) => bad = true,
            }
        }
        self.tables.classes.drafts[at].bad |= bad;
        Current::Draft(at)
    }

    fn kind(&mut self, row: &Row, was: Option<&Class>) -> Of<ClassKind> {
        let Some(text) = self.text(row, Column::Kind, TextKind::Name)? else {
            return match self.above.kind {
                Some(kind) => Ok(kind),
                None => self.wrong(row, Column::Kind, KINDS),
            };
        };
        let kind = match spoken::narrow(&text).to_lowercase().trim_end_matches('类') {
            "部件" | "part" | "parts" => ClassKind::Part,
            "事件" | "event" | "events" => ClassKind::Event,
            "接诉即办" | "接诉" | "complaint" | "complaints" => ClassKind::Complaint,
            _ => return self.wrong(row, Column::Kind, KINDS),
        };
        if self.above.kind.replace(kind) != Some(kind) {
            self.above.main = None;
        }
        match was.filter(|was| was.kind != kind) {
            Some(was) => {
                let problem = format!(
                    "{} is of another kind in the policy; retire it there and give this class a code of its own",
                    was.code
                );
                self.wrong(row, Column::Kind, problem)
            }
            None => Ok(kind),
        }
    }

    fn main(&mut self, row: &Row) -> Of<Option<Name>> {
        let said = self.name(row, Column::Main, Column::MainEn)?;
        if said.is_some() {
            self.above.main = said;
        }
        Ok(self.above.main.clone())
    }

    /// 重点案件; none where there is no such column.
    fn key(&mut self, row: &Row) -> Of<Option<bool>> {
        if self.header.at(Column::Key).is_none() {
            return Ok(None);
        }
        let text = self.text(row, Column::Key, TextKind::Name)?.unwrap_or_default();
        match spoken::narrow(&text).to_lowercase().as_str() {
            "是" | "重点" | "√" | "✓" | "y" | "yes" | "true" | "1" => Ok(Some(true)),
            "" | "否" | "常规" | "×" | "n" | "no" | "false" | "0" => Ok(Some(false)),
            _ => self.wrong(row, Column::Key, "expected 是 or 否 (yes or no)"),
        }
    }

    fn weight(&mut self, row: &Row) -> Of<Option<u16>> {
        let Some(text) = self.text(row, Column::Weight, TextKind::Name)? else { return Ok(None) };
        match spoken::narrow(&text).parse().ok().filter(|weight| *weight > 0) {
            Some(weight) => Ok(Some(weight)),
            None => self.wrong(row, Column::Weight, "expected a whole number of 1 to 65,535"),
        }
    }

    /// A name in Chinese, with its English where there is such a column.
    fn name(&mut self, row: &Row, zh: Column, en: Column) -> Of<Option<Name>> {
        self.both(row, zh, en, TextKind::Name)
    }

    fn both(&mut self, row: &Row, zh: Column, en: Column, kind: TextKind) -> Of<Option<Name>> {
        let (zh, en) = (self.text(row, zh, kind), self.text(row, en, kind));
        let en = en?.unwrap_or_default();
        Ok(zh?.map(|zh| Name { zh, en }))
    }

    fn is_stated(&self, row: &Row, column: Column) -> bool {
        self.header.at(column).is_some_and(|at| row.cells.contains_key(&at))
    }

    /// The text of a cell on one line; none where nothing stands or there is no such column.
    fn text(&mut self, row: &Row, column: Column, kind: TextKind) -> Of<Option<String>> {
        let cell = self.header.at(column).and_then(|at| row.cells.get(&at));
        match cell {
            None => Ok(None),
            Some(Cell::Wrong(problem)) => self.wrong(row, column, problem.clone()),
            Some(cell @ (Cell::Text(text) | Cell::Number(text))) => {
                if matches!(cell, Cell::Number(_)) && self.has_lost_zeros(column, text) {
                    return self.wrong(row, column, OUTER_ZEROS);
                }
                let text = one_line(text);
                match check_text(&text, kind) {
                    Ok(()) => Ok(Some(text).filter(|text| !text.is_empty())),
                    Err(error) => self.wrong(row, column, error.to_string()),
                }
            }
        }
    }

    /// Whether a number stands where a code was meant that ends or begins with a zero: 1.10 is 1.1 there, and 0101 is 101.
    fn has_lost_zeros(&self, column: Column, number: &str) -> bool {
        let codes = || self.policy.classes.iter().map(|class| class.code.as_str());
        let is_code = column == Column::Code;
        let is_cut = (is_code || column == Column::ConditionCode) && number.contains('.');
        let is_another = |code: &str| code != number && code.trim_start_matches('0') == number;
        is_cut || (is_code && codes().any(is_another) && !codes().any(|code| code == number))
    }

    fn wrong<T>(&mut self, row: &Row, column: Column, problem: impl Into<String>) -> Of<T> {
        let at = self.header.at(column);
        let found = match at.and_then(|at| row.cells.get(&at)) {
            Some(cell) => cell.said().unwrap_or_default(),
            None => "",
        };
        let problem = format!("{}: {}", column.said(), problem.into());
        self.tables.faults.push(self.sheet.fault(row.number, at, found, problem));
        Err(Bad)
    }

    /// Where a row is, for a message about another one.
    fn stands(&self, row: &Row) -> String {
        let sheet = self.sheet.name.as_ref().map_or_else(String::new, |name| format!(" sheet {name}"));
        let column = self.header.at(Column::Code).map(letters).unwrap_or_default();
        format!("{}{sheet} cell {column}{}", self.sheet.file, row.number)
    }
}

/// Leaves room for the number of a condition.
const CLASS_BYTES_MAX: usize = domain::code::CODE_BYTES_MAX - 11;

const OUTER_ZEROS: &str = "is a number, and Excel keeps no outer zeros of one (0101, 1.10); format the cell as text and type the code again";

const KINDS: &str = "expected 部件, 事件 or 接诉即办 (part, event or complaint)";

/// A name that is said in Chinese as before keeps the English it had.
fn kept(said: Option<Name>, was: Option<&Name>) -> Option<Name> {
    let said = said?;
    match was.filter(|was| said.en.is_empty() && was.zh == said.zh) {
        Some(was) => Some(was.clone()),
        None => Some(said),
    }
}
