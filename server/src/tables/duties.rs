//! Rows of a responsibility list (责任清单): class, area and the department that answers, each by its code or, where it is one alone, its
//! name.
//!
//! What should be here: what each cell must be. What should not: what becomes of the policy (`lay`).

use std::collections::BTreeMap;

use domain::catalogue::Name;
use domain::clock::spoken;
use domain::code::{AreaCode, ClassCode};
use domain::policy::{Policy, Responsibility};

use super::Tables;
use super::grid::{Cell, Row, Sheet, one_line};
use super::header::{Column, Header};

/// What tables say of who answers.
#[derive(Debug, Default)]
pub struct Duties {
    pub entries: Vec<Responsibility>,
    /// A row was not read, which may have been any of them.
    pub lost: bool,
    /// Where each stands first.
    places: BTreeMap<(ClassCode, AreaCode), String>,
}

struct Bad;

struct Rows<'a> {
    sheet: &'a Sheet,
    header: &'a Header,
    policy: &'a Policy,
    tables: &'a mut Tables,
}

/// Reads the rows below the header. Classes of tables that were read before count as known.
pub fn read(sheet: &Sheet, header: &Header, policy: &Policy, tables: &mut Tables) {
    let mut rows = Rows { sheet, header, policy, tables };
    for row in sheet.rows.iter().filter(|row| row.number > header.row) {
        let is_lost = rows.row(row).is_err();
        rows.tables.duties.lost |= is_lost;
    }
    rows.tables.duties.lost |= sheet.cut_at.is_some();
}

impl Rows<'_> {
    fn row(&mut self, row: &Row) -> Result<(), Bad> {
        if let Some(broken) = &row.broken {
            self.tables.faults.push(self.sheet.fault(row.number, None, "", broken));
            return Err(Bad);
        }
        if !row.cells.keys().any(|at| self.header.reads(*at)) {
            return Ok(());
        }
        // All three are looked at before one of them sends the row away.
        let (class, area, department) = (self.class(row), self.area(row), self.department(row));
        let entry = Responsibility { class: class?, area: area?, department: department? };
        let key = (entry.class.clone(), entry.area.clone());
        if let Some(other) = self.tables.duties.places.get(&key) {
            let problem = format!("the class has a department in this area in {other}; one is responsible");
            return self.wrong(row, Column::Area, problem);
        }
        let sheet = self.sheet.name.as_ref().map_or_else(String::new, |name| format!(" sheet {name}"));
        self.tables.duties.places.insert(key, format!("{}{sheet} row {}", self.sheet.file, row.number));
        self.tables.duties.entries.push(entry);
        Ok(())
    }

    fn class(&mut self, row: &Row) -> Result<ClassCode, Bad> {
        let text = self.text(row, Column::Code)?;
        let code = ClassCode::new(&*spoken::narrow(&text)).ok();
        let is_known = |code: &ClassCode| {
            self.policy.classes.iter().any(|class| class.code == *code)
                || self.tables.classes.drafts.iter().any(|draft| draft.class.code == *code)
        };
        match code.filter(is_known) {
            Some(code) => Ok(code),
            None => self.wrong(row, Column::Code, "is no class of the policy or of the tables before"),
        }
    }

    fn area(&mut self, row: &Row) -> Result<AreaCode, Bad> {
        let text = self.text(row, Column::Area)?;
        let all =
            self.policy.areas.iter().map(|area| (&area.code, area.code.as_str(), &area.name, &area.short));
        match one(&text, all) {
            Ok(code) => Ok(code.clone()),
            Err(problem) => {
                self.wrong(row, Column::Area, format!("{problem} area; expected its code or its name"))
            }
        }
    }

    fn department(&mut self, row: &Row) -> Result<domain::code::DepartmentCode, Bad> {
        let text = self.text(row, Column::Department)?;
        let known = self.policy.departments.iter().filter(|department| !department.retired);
        let all = known.map(|known| (&known.code, known.code.as_str(), &known.name, &known.short));
        match one(&text, all) {
            Ok(code) => Ok(code.clone()),
            Err(problem) => {
                let problem = format!("{problem} department in use; expected its code or its name");
                self.wrong(row, Column::Department, problem)
            }
        }
    }

    fn text(&mut self, row: &Row, column: Column) -> Result<String, Bad> {
        match self.header.at(column).and_then(|at| row.cells.get(&at)) {
            Some(Cell::Text(text) | Cell::Number(text)) => Ok(one_line(text)),
            Some(Cell::Wrong(problem)) => self.wrong(row, column, problem.clone()),
            None => self.wrong(row, column, "is empty"),
        }
    }

    fn wrong<T>(&mut self, row: &Row, column: Column, problem: impl Into<String>) -> Result<T, Bad> {
        let at = self.header.at(column);
        let found = match at.and_then(|at| row.cells.get(&at)) {
            Some(cell) => cell.said().unwrap_or_default(),
            None => "",
        };
        let problem = format!("{}: {}", column.said(), problem.into());
        self.tables.faults.push(self.sheet.fault(row.number, at, found, problem));
        Err(Bad)
    }
}

/// The one that has this code, or else the only one of this name.
fn one<'p, C: 'p>(
    text: &str,
    all: impl Iterator<Item = (&'p C, &'p str, &'p Name, &'p Option<Name>)> + Clone,
) -> Result<&'p C, &'static str> {
    let code = spoken::narrow(text);
    if let Some((found, ..)) = all.clone().find(|(_, known, ..)| *known == code) {
        return Ok(found);
    }
    let is = |name: &Name| name.zh == text || !name.en.is_empty() && name.en.eq_ignore_ascii_case(text);
    let mut named = all.filter(|(_, _, name, short)| is(name) || short.as_ref().is_some_and(is));
    match (named.next(), named.next()) {
        (Some((found, ..)), None) => Ok(found),
        (Some(_), Some(_)) => Err("is the name of more than one"),
        (None, _) => Err("is no"),
    }
}
