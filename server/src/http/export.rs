//! The list of cases as a file (导出): CSV, sent while it is read, and XLSX.
//!
//! What should be here: how much of a list is handed out, page by page, and what is said where it is not all of it. What should not:
//! which cases a list has (`cases`, `lists`), and how a case looks in a row (`rows`).

use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use domain::audience::Audience;
use domain::case::Case;
use domain::rejection::Language;
use domain::scope::Scope;
use futures_util::stream;
use tokio::sync::Semaphore;

use super::Hall;
use super::cases::{CasesQuery, list_problem};
use crate::access::Sight;
use crate::http::extract::Query;
use crate::lists::{CaseFilter, Cursor, ListError, ROWS_MAX};
use crate::problem::{Problem, language};
use crate::turn::Reading;

pub mod rows;

use rows::{End, Rows};

/// Rows of a CSV: a month of a large city. It is never in memory as a whole.
pub const CSV_ROWS_MAX: usize = 250_000;
/// Rows of a workbook, which is whole in memory before its first byte can be sent.
pub const XLSX_ROWS_MAX: usize = 10_000;
/// Workbooks made at the same time.
static WORKBOOKS: Semaphore = Semaphore::const_new(2);
/// How often a file that has begun asks for its turn again; each time it waits some seconds.
const TURNS_MAX: usize = 20;

/// A list under way: page after page until its end, or until no more rows are handed out.
struct Pages {
    hall: Hall,
    scope: Scope,
    filter: CaseFilter,
    /// The one case of a number that was asked for.
    number: Option<String>,
    cursor: Option<Cursor>,
    /// Rows that may still come.
    left: usize,
    end: Option<End>,
}

impl Pages {
    fn new(hall: Hall, sight: &Sight, query: &CasesQuery, rows_max: usize) -> Result<Self, Problem> {
        let (filter, number) = query.whole()?;
        let (scope, cursor, end) = (sight.scope().clone(), None, None);
        Ok(Self { hall, scope, filter, number, cursor, left: rows_max, end })
    }

    /// The next rows; the end is known once there are none, or with the last.
    async fn next(&mut self) -> Result<Vec<Arc<Case>>, ListError> {
        if self.end.is_some() {
            return Ok(Vec::new());
        }
        // One row more than may come tells whether there are more.
        let wanted = (self.left + 1).min(ROWS_MAX);
        let (scope, filter) = (self.scope.clone(), self.filter.clone());
        let (number, cursor) = (self.number.clone(), self.cursor.take());
        let read = move |lists: &crate::lists::Lists| match number {
            Some(number) => {
                let found = lists.case_of_number(&scope, &number)?;
                Ok((found.filter(|case| lists.answers(&scope, &filter, case)).into_iter().collect(), None))
            }
            None => lists.cases(&scope, &filter, cursor.as_ref(), wanted).map(|page| (page.items, page.next)),
        };
        let (mut items, next) = self.hall.lists.run(Reading::Long, read).await?;
        if items.len() > self.left {
            items.truncate(self.left);
            self.end = Some(End::Cut);
        } else if next.is_none() {
            let is_whole = !self.filter.reaches_closed() || self.hall.lists.reaches_all();
            self.end = Some(if is_whole { End::Whole } else { End::NotLaidOut });
        }
        self.left -= items.len();
        self.cursor = next;
        Ok(items)
    }

    /// As [`Self::next`], of a file of which a part has been sent: it waits for its turn rather than end in the middle.
    async fn next_patiently(&mut self) -> Result<Vec<Arc<Case>>, ListError> {
        for _ in 1..TURNS_MAX {
            let cursor = self.cursor.clone();
            match self.next().await {
                Err(ListError::Busy) => self.cursor = cursor,
                answered => return answered,
            }
        }
        self.next().await
    }
}

/// What rows are written with: names, language, the hall's hours.
fn rows(hall: &Hall, audience: Audience, headers: &HeaderMap) -> Rows {
    let (catalogue, in_force) = hall.of_one_moment();
    Rows { catalogue, offset: in_force.policy.utc_offset_minutes, language: language(headers), audience }
}

fn attached(hall: &Hall, kind: &'static str, ending: &str, body: Body) -> Response {
    let now = hall.clock.now().local(hall.policy().utc_offset_minutes);
    let name = format!("attachment; filename=\"cases-{}.{ending}\"", now.date);
    // Digits and letters.
    let name = HeaderValue::from_str(&name).unwrap_or(HeaderValue::from_static("attachment"));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_DISPOSITION, name),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, body).into_response()
}

/// The cases of a list as CSV in UTF-8 with its mark, so that Excel reads Chinese; as `GET /api/v1/cases`, without pages. At most
/// 250,000 rows; where there are more, or closed cases are still being laid out, the last row says so. Cells that a spreadsheet would
/// take for a formula begin with an apostrophe.
#[utoipa::path(get, path = "/api/v1/cases.csv", tag = "cases", params(CasesQuery),
    responses((status = 200, body = String, content_type = "text/csv"), (status = 400, body = Problem)))]
pub async fn csv(
    State(hall): State<Hall>,
    Extension(sight): Extension<Sight>,
    Extension(audience): Extension<Audience>,
    headers: HeaderMap,
    Query(query): Query<CasesQuery>,
) -> Result<Response, Problem> {
    let rows = rows(&hall, audience, &headers);
    let mut pages = Pages::new(hall.clone(), &sight, &query, CSV_ROWS_MAX)?;
    // What is wrong with the question is said before the file begins.
    let first = pages.next().await.map_err(list_problem)?;
    let begun = rows.csv_head().into_iter().chain(rows.csv(&first, pages.end)).collect::<Vec<u8>>();
    let under_way = (pages, rows, Some(begun));
    let body = stream::unfold(under_way, |(mut pages, rows, begun)| async move {
        if let Some(begun) = begun {
            return Some((Ok(Bytes::from(begun)), (pages, rows, None)));
        }
        if pages.end.is_some() {
            return None;
        }
        let next = pages.next_patiently().await.map(|cases| Bytes::from(rows.csv(&cases, pages.end)));
        if next.is_err() {
            // The transfer breaks off: a file that looked whole would be worse than none.
            pages.end = Some(End::Cut);
        }
        Some((next, (pages, rows, None)))
    });
    Ok(attached(&hall, "text/csv; charset=utf-8", "csv", Body::from_stream(body)))
}

/// The cases of a list as a workbook, at most 10,000 rows; otherwise as `GET /api/v1/cases.csv`.
#[utoipa::path(get, path = "/api/v1/cases.xlsx", tag = "cases", params(CasesQuery),
    responses((status = 200, body = Vec<u8>, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (status = 400, body = Problem), (status = 503, body = Problem)))]
pub async fn xlsx(
    State(hall): State<Hall>,
    Extension(sight): Extension<Sight>,
    Extension(audience): Extension<Audience>,
    headers: HeaderMap,
    Query(query): Query<CasesQuery>,
) -> Result<Response, Problem> {
    let rows = rows(&hall, audience, &headers);
    let mut pages = Pages::new(hall.clone(), &sight, &query, XLSX_ROWS_MAX)?;
    let busy = match rows.language {
        Language::Zh => "正在生成的表格过多，请稍后再试",
        Language::En => "too many workbooks are being made; try again in some seconds",
    };
    let turn = WORKBOOKS.try_acquire().map_err(|_| Problem::busy(busy, 5))?;
    let mut cases = pages.next().await.map_err(list_problem)?;
    while pages.end.is_none() {
        cases.append(&mut pages.next_patiently().await.map_err(list_problem)?);
    }
    let end = pages.end;
    // The turn is given back when the workbook is made, also where whoever asked has gone meanwhile.
    let make = move || {
        let made = rows.xlsx(&cases, end);
        drop(turn);
        made
    };
    let made = tokio::task::spawn_blocking(make).await;
    let made = made.map_err(|error| Problem::internal("make a workbook", &error))?;
    let book = made.map_err(|error| Problem::internal("make a workbook", &error))?;
    let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    Ok(attached(&hall, kind, "xlsx", Body::from(book)))
}
