//! From a filter of cases to SQL. Every value is a parameter.

use domain::case::Stage;
use domain::code::{AreaCode, CaseId, ClassCode, DepartmentCode, SourceCode};
use domain::moment::Date;
use rusqlite::types::Value;
use serde::{Deserialize, Serialize};

use super::{StoreError, int};

/// Longest text searched for, in characters.
const TEXT_CHARS_MAX: usize = 100;

/// Days from `from` to `to`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    pub from: Date,
    pub to: Date,
}

impl Days {
    #[must_use]
    pub fn day(date: Date) -> Self {
        Self { from: date, to: date }
    }

    /// A month as 202611; none when there is no such month.
    #[must_use]
    pub fn month(number: i32) -> Option<Self> {
        let month = u8::try_from(number % 100).ok()?;
        let from = Date::new(number / 100, month, 1)?;
        let to = (28..=31).rev().find_map(|day| Date::new(number / 100, month, day))?;
        Some(Self { from, to })
    }
}

impl std::str::FromStr for Days {
    type Err = String;

    /// A day (`2026-11-21` or `20261121`) or a month (`2026-11` or `202611`).
    fn from_str(text: &str) -> Result<Self, String> {
        let digits: String = text.chars().filter(|character| *character != '-').collect();
        let number: Option<i32> = digits.parse().ok();
        let days = match (digits.len(), number) {
            (6, Some(month)) => Self::month(month),
            (8, Some(day)) => {
                let part = |number: i32| u8::try_from(number).unwrap_or(0);
                Date::new(day / 10_000, part(day / 100 % 100), part(day % 100)).map(Self::day)
            }
            _ => None,
        };
        days.ok_or_else(|| {
            format!("`{text}` is neither a day such as 2026-11-21 nor a month such as 2026-11")
        })
    }
}

/// How far the running clock must have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PhaseFilter {
    Nearing,
    Overdue,
}

/// Order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CaseSort {
    #[default]
    Newest,
    /// Earliest due time of the running clock first, then those without one. Open cases only.
    Due,
}

/// Which cases. Conditions that are given all hold.
#[derive(Debug, Clone, Default)]
pub struct CaseFilter {
    pub stage: Option<Stage>,
    /// The area or one below it, as the catalogue stood when the case was reported.
    pub area: Option<AreaCode>,
    pub class: Option<ClassCode>,
    pub source: Option<SourceCode>,
    pub phase: Option<PhaseFilter>,
    pub open: Option<bool>,
    pub reported: Option<Days>,
    pub filed: Option<Days>,
    pub dispatched: Option<Days>,
    pub closed: Option<Days>,
    /// Dispatched after the limit.
    pub dispatched_late: Option<bool>,
    /// Part of the number or the address.
    pub text: Option<String>,
    pub department: Option<DepartmentCode>,
    pub claimed_by: Option<String>,
    pub claimed: Option<bool>,
    pub has_place: Option<bool>,
    pub sort: CaseSort,
}

impl CaseFilter {
    /// Closed cases have no due time, so they are listed newest first.
    pub(super) fn effective_sort(&self) -> CaseSort {
        if self.open == Some(false) { CaseSort::Newest } else { self.sort }
    }
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Where the next page begins; none on the last.
    pub next: Option<Cursor>,
}

/// Where the next page begins; opaque to clients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub String);

impl Cursor {
    pub(super) fn newest(id: CaseId) -> Self {
        Self(format!("n{}", id.0))
    }

    pub(super) fn due(due: i64, id: CaseId) -> Self {
        Self(format!("d{due}.{}", id.0))
    }

    fn wrong(&self) -> StoreError {
        let shown: String = self.0.chars().take(40).collect();
        StoreError::Cursor(format!(
            "cursor `{shown}` was not given by this list; start again without a cursor"
        ))
    }

    pub(super) fn id(&self) -> Result<i64, StoreError> {
        self.0.strip_prefix('n').and_then(|id| id.parse().ok()).ok_or_else(|| self.wrong())
    }

    fn due_and_id(&self) -> Result<(i64, i64), StoreError> {
        let parts = self.0.strip_prefix('d').and_then(|rest| rest.split_once('.'));
        parts.and_then(|(due, id)| Some((due.parse().ok()?, id.parse().ok()?))).ok_or_else(|| self.wrong())
    }
}

#[derive(Default)]
struct Conditions {
    clauses: Vec<&'static str>,
    values: Vec<Value>,
}

impl Conditions {
    fn put(&mut self, clause: &'static str, values: impl IntoIterator<Item = Value>) {
        self.clauses.push(clause);
        self.values.extend(values);
    }

    fn days(&mut self, clause: &'static str, days: Option<Days>) {
        if let Some(days) = days {
            let number = |date: Date| Value::Integer(i64::from(date.number()));
            self.put(clause, [number(days.from), number(days.to)]);
        }
    }

    fn text(&mut self, clause: &'static str, text: Option<&str>) {
        if let Some(text) = text {
            self.put(clause, [Value::Text(text.to_owned())]);
        }
    }

    fn truth(&mut self, clause: &'static str, truth: Option<bool>) {
        if let Some(truth) = truth {
            self.put(clause, [Value::Integer(i64::from(truth))]);
        }
    }

    fn sql(&self) -> String {
        if self.clauses.is_empty() { "1".to_owned() } else { self.clauses.join(" AND ") }
    }
}

fn conditions(filter: &CaseFilter) -> Conditions {
    let mut is = Conditions::default();
    // First, so that its index leads.
    is.text("a.area = ?", filter.area.as_ref().map(AreaCode::as_str));
    if let Some(stage) = filter.stage {
        is.put("c.stage = ?", [Value::Integer(stage as i64)]);
        if stage != Stage::Close && filter.open.is_none() {
            is.put("c.open = 1", []);
        }
    }
    is.text("c.class = ?", filter.class.as_ref().map(ClassCode::as_str));
    is.text("c.source = ?", filter.source.as_ref().map(SourceCode::as_str));
    match filter.phase {
        Some(PhaseFilter::Nearing) => is.put("c.phase = 2 AND c.open = 1", []),
        Some(PhaseFilter::Overdue) => is.put("c.phase = 3 AND c.open = 1", []),
        None => {}
    }
    match filter.open {
        // Literal, so that the partial index over open cases fits.
        Some(true) => is.put("c.open = 1", []),
        Some(false) => is.put("c.open = 0", []),
        None if filter.sort == CaseSort::Due => is.put("c.open = 1", []),
        None => {}
    }
    is.days("c.reported_day BETWEEN ? AND ?", filter.reported);
    is.days("c.filed_day BETWEEN ? AND ?", filter.filed);
    is.days("c.dispatched_day BETWEEN ? AND ?", filter.dispatched);
    is.days("c.closed_day BETWEEN ? AND ?", filter.closed);
    is.truth("c.dispatched_late = ?", filter.dispatched_late);
    is.truth("c.has_place = ?", filter.has_place);
    is.truth("(c.claimed_by IS NOT NULL) = ?", filter.claimed);
    is.text("c.claimed_by = ?", filter.claimed_by.as_deref());
    is.text("c.department = ?", filter.department.as_ref().map(DepartmentCode::as_str));
    if let Some(text) = &filter.text {
        let wanted: String = text.chars().take(TEXT_CHARS_MAX).collect();
        let escaped = wanted.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let like = Value::Text(format!("%{escaped}%"));
        is.put("(c.number LIKE ? ESCAPE '\\' OR c.address LIKE ? ESCAPE '\\')", [like.clone(), like]);
    }
    is
}

fn from(filter: &CaseFilter) -> &'static str {
    if filter.area.is_some() { "case_areas a CROSS JOIN cases c ON c.id = a.case_id" } else { "cases c" }
}

/// SQL for one page: due and body of each case.
pub(super) fn query(
    filter: &CaseFilter,
    sort: CaseSort,
    after: Option<&Cursor>,
    limit: usize,
) -> Result<(String, Vec<Value>), StoreError> {
    let mut is = conditions(filter);
    let id = if filter.area.is_some() { "a.case_id" } else { "c.id" };
    let order = match sort {
        CaseSort::Newest => {
            if let Some(cursor) = after {
                let clause = if filter.area.is_some() { "a.case_id < ?" } else { "c.id < ?" };
                is.put(clause, [Value::Integer(cursor.id()?)]);
            }
            format!("{id} DESC")
        }
        CaseSort::Due => {
            if let Some(cursor) = after {
                let (due, id) = cursor.due_and_id()?;
                is.put("(c.due, c.id) > (?, ?)", [Value::Integer(due), Value::Integer(id)]);
            }
            "c.due, c.id".to_owned()
        }
    };
    let sql =
        format!("SELECT c.due, c.body FROM {} WHERE {} ORDER BY {order} LIMIT ?", from(filter), is.sql());
    is.values.push(Value::Integer(int(limit as u64)));
    Ok((sql, is.values))
}

/// SQL that counts.
pub(super) fn count_query(filter: &CaseFilter) -> (String, Vec<Value>) {
    let is = conditions(filter);
    let sql = format!("SELECT count(*) FROM {} WHERE {}", from(filter), is.sql());
    (sql, is.values)
}
