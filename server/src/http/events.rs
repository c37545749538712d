//! The event log read in pages: how a client that was away for long reads what the live feed no longer repeats.

use axum::Extension;
use axum::Json as Answer;
use axum::extract::State;
use domain::code::{AreaCode, CaseId};
use domain::scope::Scope;
use domain::wire::{EventLine, Hex64};
use serde::{Deserialize, Serialize};

use super::Hall;
use super::cases::{page_size, store_problem};
use crate::access::Sight;
use crate::events::EventFilter;
use crate::http::extract::Query;
use crate::live::digest;
use crate::problem::Problem;
use crate::turn::Reading;

/// Which events, and from where on.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EventsQuery {
    /// Only events after this sequence number: where a client stands, or `next` of the page before. By default 0.
    after: Option<u64>,
    /// About this case.
    case: Option<u64>,
    /// About cases in this area or one below it.
    #[param(inline)]
    area: Option<AreaCode>,
    /// 1 to 500, by default 100.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
}

/// One page of the event log, oldest first, as the topic `case` of the live feed has it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct EventsAnswer {
    /// Identity of the store: sequence numbers of another one mean nothing here.
    #[schema(value_type = String)]
    epoch: Hex64,
    /// Last event of the log. Once `next` is null, subscribe from here: the last line of a quiet area may lie so far back
    /// that the feed no longer reaches it.
    head: u64,
    items: Vec<EventLine>,
    /// Give it as `after` for the next page; null at the end of the log. A page of a small area may be empty and have
    /// a next one.
    next: Option<u64>,
}

/// Everything that happened, once and in order.
#[utoipa::path(get, path = "/api/v1/events", tag = "cases", params(EventsQuery),
    responses((status = 200, body = EventsAnswer)))]
pub async fn list(
    State(hall): State<Hall>,
    Extension(sight): Extension<Sight>,
    Query(query): Query<EventsQuery>,
) -> Result<Answer<EventsAnswer>, Problem> {
    let limit = page_size(query.limit)?;
    let filter = EventFilter { case: query.case.map(CaseId), area: query.area };
    let after = query.after.unwrap_or(0);
    let read = hall.reader.run(Reading::Long, move |reader| reader.events_page(&filter, after, limit)).await;
    let page = read.map_err(store_problem)?;
    let items = page.items.iter().map(|(recorded, case)| digest::line(recorded, case.as_ref()));
    let items = within(&hall, sight.scope(), items.collect()).await?;
    Ok(Answer(EventsAnswer {
        epoch: Hex64(hall.mirror.read(|view| view.epoch)),
        head: page.head,
        items,
        next: page.next,
    }))
}

/// What lies within a scope. What is about no case and no call (a code that was defined) is everybody's.
async fn within(hall: &Hall, scope: &Scope, lines: Vec<EventLine>) -> Result<Vec<EventLine>, Problem> {
    if scope.is_all() {
        return Ok(lines);
    }
    let scope = scope.clone();
    let read = hall.reader.run(Reading::Long, move |reader| {
        let mut seen = Vec::new();
        for line in lines {
            let admitted = match (&line.case, line.whistle) {
                (Some(case), _) => scope.admits(&case.area_path, &case.department),
                (None, Some(call)) => reader.whistle(call)?.is_some_and(|call| scope.admits_whistle(&call)),
                (None, None) => true,
            };
            if admitted {
                seen.push(line);
            }
        }
        Ok(seen)
    });
    read.await.map_err(store_problem)
}
