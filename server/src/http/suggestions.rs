//! `GET /api/v1/cases/{id}/suggestions`: departments a case might go to, with their reasons as data (派遣建议).
//!
//! What should be here: what is read for it, within the scope of whoever asks. What should not: who is suggested and why
//! (`domain::suggestion`), and any dispatch.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json as Answer};
use domain::case::Case;
use domain::code::{CaseId, ClassCode};
use domain::moment::{Days, UtcMillis, UtcOffset};
use domain::scope::Scope;
use domain::suggestion::{Asked, LOOKED_BACK_DAYS, Suggestion, suggest};
use serde::Serialize;

use super::Hall;
use super::cases::list_problem;
use crate::access::Sight;
use crate::http::extract::Path;
use crate::lists::{CaseFilter, ListError, Lists, ROWS_MAX};
use crate::problem::Problem;
use crate::turn::Reading;

/// Cases of the class that are looked at, the newest; more would tell the same share, and take longer than somebody waits.
const PAST_CASES_MAX: usize = 4_000;

/// At most five departments, the first the one with most to be said for it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SuggestionsAnswer {
    /// Version of the policy whose responsibility list was read.
    policy: u64,
    suggestions: Vec<Suggestion>,
    /// Cases of the class that were looked at for what came of dispatches.
    looked_at: u64,
    /// Whether these are all that were dispatched in the last ninety days and that the asker may see.
    whole: bool,
}

/// Departments this case might go to: the responsibility list for its class and areas, open cases each has, and what came of the
/// dispatches of the class in the last ninety days, as far as the asker sees them. Nothing is dispatched by it.
#[utoipa::path(get, path = "/api/v1/cases/{id}/suggestions", tag = "cases", params(("id" = u64, Path)),
    responses((status = 200, body = SuggestionsAnswer), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub async fn of_case(
    State(hall): State<Hall>,
    Extension(sight): Extension<Sight>,
    Path(id): Path<String>,
) -> Result<Answer<SuggestionsAnswer>, Problem> {
    let number: u64 = id
        .parse()
        .map_err(|_| Problem::bad_request("id", format!("`{id}` is not a case's id, a whole number")))?;
    let (catalogue, in_force) = hall.of_one_moment();
    let (scope, now) = (sight.scope().clone(), hall.clock.now());
    let offset = in_force.policy.utc_offset_minutes;
    let read = move |lists: &Lists| {
        let Some(case) = lists.case(&scope, CaseId(number))? else { return Ok(None) };
        let (past, whole) = past(lists, &scope, &case.report.class, now, offset)?;
        let open = lists.open(&scope);
        let asked = Asked {
            case: &case,
            responsibilities: &in_force.policy.responsibilities,
            catalogue: &catalogue,
            now,
        };
        let suggestions = suggest(asked, open.iter().map(AsRef::as_ref), past.iter().map(AsRef::as_ref));
        let looked_at = past.len() as u64;
        Ok(Some(SuggestionsAnswer { policy: in_force.version, suggestions, looked_at, whole }))
    };
    let answer = hall.lists.run(Reading::Long, read).await.map_err(list_problem)?;
    answer.map(Answer).ok_or_else(|| Problem::not_found(format!("no case {number}")))
}

/// Cases of the class that were dispatched in the last ninety days, and whether these are all.
fn past(
    lists: &Lists,
    scope: &Scope,
    class: &ClassCode,
    now: UtcMillis,
    offset: UtcOffset,
) -> Result<(Vec<Arc<Case>>, bool), ListError> {
    let today = now.local(offset).date;
    let days = Days { from: today.plus_days(-i64::from(LOOKED_BACK_DAYS)), to: today };
    let filter = CaseFilter { class: Some(class.clone()), dispatched: Some(days), ..CaseFilter::default() };
    let mut found: Vec<Arc<Case>> = Vec::new();
    let mut cursor = None;
    loop {
        let page = lists.cases(scope, &filter, cursor.as_ref(), ROWS_MAX)?;
        // A page that ran out of time says where to go on; another one is not waited for.
        let out_of_time = page.items.len() < ROWS_MAX && page.next.is_some();
        found.extend(page.items);
        if page.next.is_none() || out_of_time || found.len() >= PAST_CASES_MAX {
            return Ok((found, page.next.is_none() && lists.reaches_all()));
        }
        cursor = page.next;
    }
}
