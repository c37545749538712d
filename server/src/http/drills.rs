//! `/api/v1/drills`: drills for who directs them.
//!
//! What should not be here: what a drill is and what is said of a refusal (`drill`), its clock's own door (`http::world`).

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json as Answered};
use domain::drill::answer::{DrillAnswer, DrillsAnswer, PrepareDrill, StopDrill};
use domain::drill::{DrillRefusal, Happening};
use domain::rejection::Language;
use serde::Deserialize;
use uuid::Uuid;

use super::Hall;
use super::commands::write_problem;
use crate::access::Actor;
use crate::drill::Found;
use crate::drill::director::problem;
use crate::drill::held::{EnterError, Held};
use crate::drill::opening::{self, Home};
use crate::http::extract::{Json, Path};
use crate::problem::{Problem, language};
use crate::stored::command::fresh_key;
use crate::writer::Answer;

/// The drills there are, the newest first. What is to happen in one is told to who leads it alone.
#[utoipa::path(get, path = "/api/v1/drills", tag = "drills", responses((status = 200, body = DrillsAnswer)))]
pub async fn list(State(hall): State<Hall>, Extension(actor): Extension<Actor>) -> Answered<DrillsAnswer> {
    Answered(DrillsAnswer { items: hall.drills.told(&actor) })
}

/// Prepares a drill. Its clock stands until its director starts it by `POST {base}/api/v1/world/clock`.
#[utoipa::path(post, path = "/api/v1/drills", tag = "drills", request_body = PrepareDrill,
    responses((status = 201, body = DrillAnswer), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn prepare(
    State(hall): State<Hall>,
    Extension(actor): Extension<Actor>,
    headers: HeaderMap,
    Json(asked): Json<PrepareDrill>,
) -> Result<(StatusCode, Answered<DrillAnswer>), Problem> {
    let home = Home { hall: &hall, answers: super::world_router };
    let prepared = opening::prepare(home, &actor, asked).await;
    let told = prepared.map_err(|error| problem(error, language(&headers)))?;
    Ok((StatusCode::CREATED, Answered(told)))
}

/// Ends a drill. Its world is gone then; what happened in it stays in its folder.
#[utoipa::path(post, path = "/api/v1/drills/{id}/stop", tag = "drills", params(("id" = String, Path)),
    request_body = StopDrill,
    responses((status = 200, body = DrillAnswer), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub async fn stop(
    State(hall): State<Hall>,
    Extension(actor): Extension<Actor>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Json(StopDrill { leaving }): Json<StopDrill>,
) -> Result<Answered<DrillAnswer>, Problem> {
    let language = language(&headers);
    let held = open(&hall, &id, language)?;
    let home = Home { hall: &hall, answers: super::world_router };
    let stopped = opening::stop(home, &held, &actor, leaving).await;
    stopped.map(Answered).map_err(|error| problem(error, language))
}

/// Something that happens by the director's hand.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Enter {
    /// As of a command: sent again under the same key, it happens once.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    key: Option<Uuid>,
    what: Happening,
}

/// The director enters a case or a whistle call into the drill.
#[utoipa::path(post, path = "/api/v1/drills/{id}/enter", tag = "drills", params(("id" = String, Path)),
    request_body = Enter,
    responses((status = 200, body = Answer), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn enter(
    State(hall): State<Hall>,
    Extension(actor): Extension<Actor>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Json(Enter { key, what }): Json<Enter>,
) -> Result<Answered<Answer>, Problem> {
    let language = language(&headers);
    let held = open(&hall, &id, language)?;
    let key = key.unwrap_or_else(|| fresh_key(held.now()));
    held.enter(&what, key, &actor).await.map(Answered).map_err(|error| match error {
        EnterError::Drill(error) => problem(error, language),
        EnterError::Write(error) => write_problem(error, language),
    })
}

/// The drill of an address, while it is open.
fn open(hall: &Hall, id: &str, language: Language) -> Result<Arc<Held>, Problem> {
    match hall.drills.find(id) {
        Found::Open(held) => Ok(held),
        Found::Stopped(drill) => {
            let title = drill.prepared.title;
            Err(problem(DrillRefusal::IsStopped { title }.into(), language))
        }
        Found::None => Err(Problem::not_found(match language {
            Language::Zh => format!("没有演练 {id}"),
            Language::En => format!("no drill {id}"),
        })),
    }
}
