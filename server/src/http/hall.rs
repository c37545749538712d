//! What the hall counts and calls things: catalogue, definitions, tallies, overdue dispatches, whistles.

use axum::Extension;
use axum::Json as Answer;
use axum::extract::State;
use domain::answer::{CatalogueAnswer, PageAnswer, PolicyFigures};
use domain::audience::{Audience, OnWall, Shown};
use domain::case::Stage;
use domain::catalogue::AreaLevel;
use domain::code::{AreaCode, WhistleId};
use domain::definition::Definition;
use domain::event::Recorded;
use domain::moment::{Date, UtcMillis};
use domain::tally::{Count, Dimension, Measure, Period, Ratio, Tally, TallyKey, closure_rate};
use domain::whistle::{Whistle, WhistleLevel};
use domain::wire::{CaseLine, Hex64};
use serde::{Deserialize, Serialize};

use super::Hall;
use super::cases::{TimelineQuery, list_problem, page_answer, page_size, store_problem};
use crate::access::Sight;
use crate::http::extract::{Path, Query};
use crate::lists::{CaseFilter, CaseSort, Cursor, Lists, PhaseFilter, WhistleFilter};
use crate::problem::Problem;
use crate::publish::{Counts, Dimensions, View};
use crate::turn::Reading;

/// Names of all codes, and the policy's limits and calendar.
#[utoipa::path(get, path = "/api/v1/catalogue", tag = "hall", responses((status = 200, body = CatalogueAnswer)))]
pub async fn catalogue(State(hall): State<Hall>) -> Answer<CatalogueAnswer> {
    // Codes and version of one moment: a screen asks again when the version it holds is not the hall's.
    let (catalogue, in_force) = hall.of_one_moment();
    Answer(CatalogueAnswer::of(&catalogue, &in_force))
}

/// 口径: what each number means, by which formula, after which source.
#[utoipa::path(get, path = "/api/v1/definitions", tag = "hall", responses((status = 200, body = Vec<Definition>)))]
pub async fn definitions(State(hall): State<Hall>) -> Answer<Vec<Definition>> {
    Answer(domain::definition::all(&PolicyFigures::of(&hall.policy())))
}

/// Which cells. Without conditions: all that are held in memory.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TallyQuery {
    /// Only this measure, such as `filed`.
    measure: Option<String>,
    /// Only this dimension: `city`, `area:CODE`, `source:CODE`, `class:CODE`, or a kind alone: `area`, `source`, `class`.
    dimension: Option<String>,
    /// Only this period, such as `now`, `ever`, `day:20261121`, `month:202611`, or a kind alone: `day`, `month`, `hour`.
    period: Option<String>,
}

/// Tallies with what they stand on.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TallyAnswer {
    /// Identity of the store.
    #[schema(value_type = String)]
    epoch: Hex64,
    /// The last event counted.
    seq: u64,
    #[schema(value_type = i64)]
    as_of: UtcMillis,
    /// The local day that `day` and `month` cells belong to when they mean "today".
    #[schema(value_type = Option<String>)]
    today: Option<Date>,
    /// Cell key to number of cases (件); a missing cell is zero.
    #[schema(value_type = std::collections::BTreeMap<String, i64>)]
    cells: std::collections::BTreeMap<TallyKey, i64>,
    /// The same cells by weight (基本案件数). Whistle calls have none.
    #[schema(value_type = std::collections::BTreeMap<String, i64>)]
    base: std::collections::BTreeMap<TallyKey, i64>,
    /// Closing rates of this month for the city and its districts.
    closure_rates: Vec<Rate>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Rate {
    /// None for the whole city.
    #[schema(value_type = Option<String>)]
    area: Option<AreaCode>,
    #[serde(flatten)]
    ratio: Ratio,
    /// None when nothing was filed.
    percent: Option<f64>,
}

/// Counts by measure, dimension and period, exact at `seq`.
#[utoipa::path(get, path = "/api/v1/tally", tag = "hall", params(TallyQuery),
    responses((status = 200, body = TallyAnswer), (status = 400, body = Problem)))]
pub async fn tally(
    State(hall): State<Hall>,
    Extension(sight): Extension<Sight>,
    Query(query): Query<TallyQuery>,
) -> Result<Answer<TallyAnswer>, Problem> {
    let (mirror, clock) = (hall.mirror.clone(), hall.clock.clone());
    // As a search: whoever asks for everything in a loop waits for others of the kind, and nobody for them.
    let read = move |_: &Lists| {
        Ok(mirror.read(|view| mirror.tally(|counts| answer(&query, &sight, (view, counts), clock.now()))))
    };
    Ok(Answer(hall.lists.run(Reading::Long, read).await.map_err(list_problem)?))
}

fn answer(
    query: &TallyQuery,
    sight: &Sight,
    (view, counts): (&View, &Counts<'_>),
    as_of: UtcMillis,
) -> TallyAnswer {
    let measures = Measure::PLAIN.into_iter().chain(Stage::ALL.map(Measure::At));
    let measures =
        measures.filter(|measure| query.measure.as_deref().is_none_or(|asked| asked == measure.key()));
    let of_period = |key: &TallyKey| {
        query.period.as_deref().is_none_or(|asked| {
            let text = key.to_string();
            let period = text.splitn(3, '|').nth(2).unwrap_or("");
            period == asked || period.split_once(':').is_some_and(|(kind, _)| kind == asked)
        })
    };
    // What is no dimension has no cells.
    let dimensions = Dimensions::asked(query.dimension.as_deref());
    let asked: Vec<(TallyKey, Count)> = dimensions
        .iter()
        .flat_map(|dimensions| measures.clone().flat_map(|measure| counts.of(measure, dimensions)))
        .filter(|(key, _)| of_period(key) && sees(sight, &key.dimension))
        .map(|(key, value)| (key.clone(), value))
        .collect();
    let districts = view.catalogue.at_level(AreaLevel::District).map(|area| Some(area.code.clone()));
    let month = view.today.map(Period::month_of);
    let closure_rates = std::iter::once(None)
        .chain(districts)
        .filter_map(|area| {
            let dimension = area.clone().map_or(Dimension::City, Dimension::Area);
            if !sees(sight, &dimension) {
                return None;
            }
            // Of single cells, by the one function that computes it everywhere.
            let mut tally = Tally::default();
            for measure in [Measure::Closed, Measure::Filed] {
                let key = TallyKey { measure, dimension: dimension.clone(), period: month? };
                let value = counts.get(&key);
                tally.set(key, value);
            }
            let ratio = closure_rate(&tally, &dimension, month?);
            Some(Rate { area, ratio, percent: ratio.percent() })
        })
        .collect();
    TallyAnswer {
        epoch: Hex64(view.epoch),
        seq: counts.seq,
        as_of,
        today: view.today,
        cells: asked.iter().map(|(key, count)| (key.clone(), count.cases)).collect(),
        base: asked.iter().map(|(key, count)| (key.clone(), count.base)).collect(),
        closure_rates,
    }
}

/// Whoever sees a part of the city sees the counts of its areas. What is counted over the whole city, also by source or
/// class, says something of the other parts.
fn sees(sight: &Sight, dimension: &Dimension) -> bool {
    match dimension {
        Dimension::Area(area) => sight.admits(Some(area)),
        Dimension::City | Dimension::Source(_) | Dimension::Class(_) => sight.scope().is_all(),
    }
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OverdueQuery {
    /// `overdue` (default) or `nearing`.
    #[param(inline)]
    phase: Option<PhaseFilter>,
    #[param(inline)]
    area: Option<AreaCode>,
    cursor: Option<String>,
    /// 1 to 500, by default 100.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
}

/// Cases waiting for dispatch beyond the limit, oldest due time first.
#[utoipa::path(get, path = "/api/v1/overdue", tag = "hall", params(OverdueQuery),
    responses((status = 200, body = PageAnswer<CaseLine>)))]
pub async fn overdue(
    State(hall): State<Hall>,
    Extension(sight): Extension<Sight>,
    Query(query): Query<OverdueQuery>,
) -> Result<Answer<PageAnswer<CaseLine>>, Problem> {
    let filter = CaseFilter {
        stage: Some(Stage::Dispatch),
        open: Some(true),
        phase: Some(query.phase.unwrap_or(PhaseFilter::Overdue)),
        area: query.area,
        sort: CaseSort::Due,
        ..CaseFilter::default()
    };
    let (limit, cursor) = (page_size(query.limit)?, query.cursor.map(Cursor));
    let scope = sight.scope().clone();
    let read = move |lists: &Lists| lists.cases(&scope, &filter, cursor.as_ref(), limit);
    let page = hall.lists.run(Reading::Desk, read).await.map_err(list_problem)?;
    let lines = page.items.iter().map(|case| CaseLine::from(&**case)).collect();
    Ok(Answer(PageAnswer::of(lines, page.next.map(|cursor| cursor.0))))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WhistlesQuery {
    open: Option<bool>,
    /// `district`, `street` or `community`.
    #[param(inline)]
    level: Option<WhistleLevel>,
    #[param(inline)]
    area: Option<AreaCode>,
    /// A day (2026-11-21) or month (2026-11) in local time.
    #[param(pattern = r"^\d{4}-\d{2}(-\d{2})?$")]
    raised: Option<String>,
    cursor: Option<String>,
    /// 1 to 500, by default 100.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
}

/// Whistle calls (吹哨), newest first.
#[utoipa::path(get, path = "/api/v1/whistles", tag = "hall", params(WhistlesQuery),
    responses((status = 200, body = PageAnswer<Whistle>)))]
pub async fn whistles(
    State(hall): State<Hall>,
    Extension(sight): Extension<Sight>,
    Query(query): Query<WhistlesQuery>,
) -> Result<Answer<PageAnswer<Whistle>>, Problem> {
    let raised = query.raised.as_deref().map(str::parse).transpose();
    let raised = raised.map_err(|error: String| Problem::bad_request("raised", error))?;
    let filter = WhistleFilter { open: query.open, level: query.level, area: query.area, raised };
    let (limit, cursor) = (page_size(query.limit)?, query.cursor.map(Cursor));
    let reaches_closed = filter.open != Some(true);
    let scope = sight.scope().clone();
    let read = move |lists: &Lists| lists.whistles(&scope, &filter, cursor.as_ref(), limit);
    let page = hall.lists.run(Reading::Desk, read).await.map_err(list_problem)?;
    Ok(Answer(page_answer(&hall, page, reaches_closed, None)))
}

/// One whistle call with everything that happened to it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct WhistleAnswer {
    whistle: Whistle,
    timeline: Vec<Recorded>,
    /// There is more before the timeline: what to ask for it as `before`.
    #[serde(skip_serializing_if = "Option::is_none")]
    older: Option<u64>,
}

impl OnWall for WhistleAnswer {
    fn on_wall(self) -> Self {
        Self { timeline: Vec::new(), ..self }
    }
}

/// One whistle call.
#[utoipa::path(get, path = "/api/v1/whistles/{id}", tag = "hall", params(("id" = u64, Path), TimelineQuery),
    responses((status = 200, body = WhistleAnswer), (status = 404, body = Problem)))]
pub async fn whistle(
    State(hall): State<Hall>,
    Extension(sight): Extension<Sight>,
    Extension(audience): Extension<Audience>,
    Path(id): Path<String>,
    Query(query): Query<TimelineQuery>,
) -> Result<Answer<Shown<WhistleAnswer>>, Problem> {
    let (before, limit) = query.page()?;
    let number: u64 = id.parse().map_err(|_| {
        Problem::bad_request("id", format!("`{id}` is not a whistle call's id, a whole number"))
    })?;
    let (scope, id) = (sight.scope().clone(), WhistleId(number));
    let (lists, unlaid) = (hall.lists.clone(), scope.clone());
    let known =
        hall.lists.run(Reading::Desk, move |lists| lists.whistle(&scope, id)).await.map_err(list_problem)?;
    let read = move |reader: &crate::events::Reader| {
        let whistle = match known {
            Some(whistle) => whistle,
            // A closed call that is not laid out yet.
            None if !lists.reaches_all() => match reader.whistle(id)? {
                Some(whistle) if unlaid.admits_whistle(&whistle) => whistle,
                Some(_) | None => return Ok(None),
            },
            None => return Ok(None),
        };
        let page = reader.whistle_timeline(WhistleId(number), before, limit)?;
        let answer = WhistleAnswer { whistle, timeline: page.events, older: page.older };
        Ok(Some(audience.show(answer)))
    };
    let found = hall.reader.run(Reading::Desk, read).await.map_err(store_problem)?;
    found.map(Answer).ok_or_else(|| Problem::not_found(format!("no whistle call {number}")))
}
