//! Lists of cases and the case page.

use axum::extract::State;
use axum::{Extension, Json as Answer};
use domain::answer::{CaseAnswer, PageAnswer};
use domain::audience::{Audience, Shown};
use domain::case::{Case, Stage};
use domain::code::{AreaCode, CaseId, ClassCode, DepartmentCode, SourceCode};
use domain::moment::Days;
use domain::wire::CaseLine;
use serde::Deserialize;

use super::Hall;
use crate::access::{Actor, Sight};
use crate::events::Timeline;
use crate::folder::StoreError;
use crate::http::extract::{Path, Query};
use crate::lists::{CaseFilter, CaseSort, Cursor, ListError, Lists, Page, PhaseFilter};
use crate::problem::Problem;
use crate::turn::Reading;
use crate::views::steps::Flow;

/// Rows in one page at most.
pub const PAGE_MAX: usize = 500;
const PAGE_DEFAULT: usize = 100;

/// Which cases. All conditions that are given hold.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CasesQuery {
    /// `accept`, `file`, `dispatch`, `dispose`, `feedback`, `check` or `close`.
    #[param(inline)]
    stage: Option<Stage>,
    /// The area or one below it.
    #[param(inline)]
    area: Option<AreaCode>,
    #[param(inline)]
    class: Option<ClassCode>,
    #[param(inline)]
    source: Option<SourceCode>,
    /// `nearing` or `overdue`.
    #[param(inline)]
    phase: Option<PhaseFilter>,
    open: Option<bool>,
    /// A day (2026-11-21) or month (2026-11) in local time.
    #[param(pattern = r"^\d{4}-\d{2}(-\d{2})?$")]
    reported: Option<String>,
    #[param(pattern = r"^\d{4}-\d{2}(-\d{2})?$")]
    filed: Option<String>,
    #[param(pattern = r"^\d{4}-\d{2}(-\d{2})?$")]
    dispatched: Option<String>,
    #[param(pattern = r"^\d{4}-\d{2}(-\d{2})?$")]
    closed: Option<String>,
    dispatched_late: Option<bool>,
    /// A measure that counts a report or a step, such as `filed` or `dispatched_late`: the cases it counted on the day or in the
    /// month of `on`, which must be given with it. For what has no filter of its own.
    counted: Option<String>,
    #[param(pattern = r"^\d{4}-\d{2}(-\d{2})?$")]
    on: Option<String>,
    /// Part of number or address.
    text: Option<String>,
    /// The number as it is read out on the floor, whole.
    number: Option<String>,
    #[param(inline)]
    department: Option<DepartmentCode>,
    claimed_by: Option<String>,
    claimed: Option<bool>,
    has_place: Option<bool>,
    /// `newest` or `due`.
    #[param(inline)]
    sort: Option<CaseSort>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// 1 to 500, by default 100.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
    /// Counts all cases the conditions find, beyond this page. There is no `total` where that takes longer than 250 ms.
    count: Option<bool>,
}

impl CasesQuery {
    /// What a file is asked by: the conditions, and the number where one is named. It has no pages.
    pub(super) fn whole(&self) -> Result<(CaseFilter, Option<String>), Problem> {
        let paged = [
            ("cursor", self.cursor.is_some()),
            ("limit", self.limit.is_some()),
            ("count", self.count.is_some()),
        ];
        match paged.into_iter().find(|(_, is_given)| *is_given) {
            Some((field, _)) => Err(Problem::bad_request(field, "a file has all rows and no pages")),
            None => Ok((self.filter()?, self.number.clone())),
        }
    }

    fn filter(&self) -> Result<CaseFilter, Problem> {
        let days = |field: &str, text: &Option<String>| -> Result<Option<Days>, Problem> {
            text.as_deref()
                .map(str::parse)
                .transpose()
                .map_err(|error: String| Problem::bad_request(field, error))
        };
        let counted = match (self.counted.as_deref().map(Flow::named).transpose(), days("on", &self.on)?) {
            (Err(error), _) => return Err(Problem::bad_request("counted", error.to_string())),
            (Ok(Some(flow)), Some(days)) => Some((flow, days)),
            (Ok(None), None) => None,
            (Ok(Some(_)), None) => {
                return Err(Problem::bad_request("on", "`counted` needs a day or a month"));
            }
            (Ok(None), Some(_)) => {
                return Err(Problem::bad_request(
                    "counted",
                    "`on` says when; what was counted then is missing",
                ));
            }
        };
        Ok(CaseFilter {
            stage: self.stage,
            area: self.area.clone(),
            class: self.class.clone(),
            source: self.source.clone(),
            phase: self.phase,
            open: self.open,
            reported: days("reported", &self.reported)?,
            filed: days("filed", &self.filed)?,
            dispatched: days("dispatched", &self.dispatched)?,
            closed: days("closed", &self.closed)?,
            dispatched_late: self.dispatched_late,
            counted,
            text: self.text.clone().filter(|text| !text.trim().is_empty()),
            department: self.department.clone(),
            claimed_by: self.claimed_by.clone(),
            claimed: self.claimed,
            has_place: self.has_place,
            any_of: None,
            sort: self.sort.unwrap_or_default(),
        })
    }
}

/// A page size within 1 to [`PAGE_MAX`].
pub fn page_size(limit: Option<usize>) -> Result<usize, Problem> {
    match limit {
        None => Ok(PAGE_DEFAULT),
        Some(limit) if (1..=PAGE_MAX).contains(&limit) => Ok(limit),
        Some(limit) => Err(Problem::bad_request("limit", format!("{limit} is not within 1 to 500"))),
    }
}

/// What a list that was not answered means to the caller.
pub fn list_problem(error: ListError) -> Problem {
    match error {
        ListError::Cursor(wrong) => Problem::bad_request("cursor", wrong.to_string()),
        ListError::Busy => Problem::busy("too many lists are asked for at once; try again in a second", 1),
        ListError::Views(error) => Problem::internal("cannot read the lists", &error),
    }
}

/// A page as it travels, with what there is to say about its end.
pub fn page_answer<T>(hall: &Hall, page: Page<T>, reaches_closed: bool, total: Option<u64>) -> PageAnswer<T> {
    let progress = hall.lists.progress().filter(|_| reaches_closed && !hall.lists.reaches_all());
    let percent = progress.map(|progress| progress.percent());
    PageAnswer {
        items: page.items,
        next: page.next.map(|cursor| cursor.0),
        total,
        searched_to: page.searched_to,
        laid_out_percent: percent,
    }
}

/// What a failed read means to the caller.
pub fn store_problem(error: StoreError) -> Problem {
    if let StoreError::Busy = error {
        return Problem::busy(error.to_string(), 1);
    }
    Problem::internal("cannot read the store", &error)
}

/// Cases, newest or most urgent first.
#[utoipa::path(get, path = "/api/v1/cases", tag = "cases", params(CasesQuery),
    responses((status = 200, body = PageAnswer<CaseLine>), (status = 400, body = Problem)))]
pub async fn list(
    State(hall): State<Hall>,
    Extension(sight): Extension<Sight>,
    Query(query): Query<CasesQuery>,
) -> Result<Answer<PageAnswer<CaseLine>>, Problem> {
    let (filter, limit) = (query.filter()?, page_size(query.limit)?);
    let (cursor, count) = (query.cursor.map(Cursor), query.count == Some(true));
    let reaches_closed = filter.reaches_closed();
    let scope = sight.scope().clone();
    let read = move |lists: &Lists| {
        if let Some(number) = query.number {
            let found = lists.case_of_number(&scope, &number)?;
            let found = found.filter(|case| lists.answers(&scope, &filter, case));
            let items: Vec<CaseLine> = found.iter().map(|case| CaseLine::from(&**case)).collect();
            let total = count.then_some(items.len() as u64);
            return Ok((Page { items, next: None, searched_to: None }, total));
        }
        let page = lists.cases(&scope, &filter, cursor.as_ref(), limit)?;
        let page = Page {
            items: page.items.iter().map(|case| CaseLine::from(&**case)).collect::<Vec<_>>(),
            next: page.next,
            searched_to: page.searched_to,
        };
        let total = match (count, cursor.is_none() && page.next.is_none()) {
            (false, _) => None,
            (true, true) => Some(page.items.len() as u64),
            (true, false) => lists.count(&scope, &filter)?,
        };
        Ok((page, total))
    };
    let reading = if count || query.text.is_some() { Reading::Long } else { Reading::Desk };
    let (page, total) = hall.lists.run(reading, read).await.map_err(list_problem)?;
    Ok(Answer(page_answer(&hall, page, reaches_closed, total)))
}

/// Which part of a timeline.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TimelineQuery {
    /// `older` of the answer before: what happened before it.
    before: Option<u64>,
    /// Events of the timeline, the newest of them; 1 to 500, by default 500.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
}

impl TimelineQuery {
    pub(super) fn page(&self) -> Result<(Option<u64>, usize), Problem> {
        Ok((self.before, page_size(self.limit.or(Some(PAGE_MAX)))?))
    }
}

/// One case, open or closed, with the newest of what happened to it.
#[utoipa::path(get, path = "/api/v1/cases/{id}", tag = "cases", params(("id" = u64, Path), TimelineQuery),
    responses((status = 200, body = CaseAnswer), (status = 404, body = Problem)))]
pub async fn one(
    State(hall): State<Hall>,
    Extension(actor): Extension<Actor>,
    Extension(audience): Extension<Audience>,
    Path(id): Path<String>,
    Query(query): Query<TimelineQuery>,
) -> Result<Answer<Shown<CaseAnswer>>, Problem> {
    let (before, limit) = query.page()?;
    let number: u64 = id
        .parse()
        .map_err(|_| Problem::bad_request("id", format!("`{id}` is not a case's id, a whole number")))?;
    let scope = actor.scope.clone();
    let (lists, unlaid, by) = (hall.lists.clone(), scope.clone(), actor.name.clone());
    let known = hall
        .lists
        .run(Reading::Desk, move |lists| lists.case(&scope, CaseId(number)))
        .await
        .map_err(list_problem)?;
    let read = move |reader: &crate::events::Reader| {
        let mut case = match known {
            Some(case) => Case::clone(&case),
            // A closed case that is not laid out yet.
            None if !lists.reaches_all() => match reader.case(CaseId(number))? {
                Some(case) if unlaid.admits_case(&case) => case,
                Some(_) | None => return Ok(None),
            },
            None => return Ok(None),
        };
        // Who reported it is no part of the case; a wall has nobody to show it to.
        case.report.reporter = reader.reporter(case.id)?;
        let Timeline { events, older } = reader.timeline(CaseId(number), before, limit)?;
        Ok(Some(audience.show(CaseAnswer::of(case, events, older))))
    };
    let found = hall.reader.run(Reading::Desk, read).await.map_err(store_problem)?;
    let found = found.ok_or_else(|| Problem::not_found(format!("no case {number}")))?;
    if found.get().case.report.reporter.is_some() {
        tracing::info!(by, case = number, "reporter read");
    }
    Ok(Answer(found))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_counted_is_asked_with_its_day_and_refused_in_words_without() {
        let asked = |query| serde_json::from_value::<CasesQuery>(query).unwrap().filter();
        let filter = asked(json!({ "counted": "dispatched_late", "on": "2026-11" })).unwrap();
        assert_eq!(filter.counted, Some((Flow::DISPATCHED_LATE, "2026-11".parse().unwrap())));
        assert_eq!(asked(json!({})).unwrap().counted, None);
        for (query, field) in [
            (json!({ "counted": "open", "on": "2026-11" }), "counted"),
            (json!({ "counted": "filed", "on": "november" }), "on"),
            (json!({ "counted": "filed" }), "on"),
            (json!({ "on": "2026-11" }), "counted"),
        ] {
            let problem = serde_json::to_value(asked(query.clone()).unwrap_err()).unwrap();
            assert!(problem.to_string().contains(&format!("\"{field}\"")), "{query}: {problem}");
        }
    }
}
