//! Opening, listing and closing replays (复盘) of the process's own hall.
//!
//! What should not be here: what a replay is (`replay`), its clock (`world`).

use axum::Extension;
use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use domain::answer::worlds::{PolicyChange, ReplayAnswer, ReplayOrder};
use domain::world::WorldKind;

use super::Hall;
use crate::access::Actor;
use crate::http::extract::{Json, Path};
use crate::problem::Problem;
use crate::replay::{self, Order};
use crate::world::{Found, Open, Told};

/// What is told of an open replay.
fn told(open: &Open) -> Option<ReplayAnswer> {
    let Told { from, to, by, state: _, adopted, density } = open.drive.as_ref()?.told()?;
    let identity = &open.identity;
    let (id, base, title) = (identity.id.clone()?, identity.base(), identity.title.clone());
    let policy_changes = adopted.into_iter().map(|at| PolicyChange { at }).collect();
    Some(ReplayAnswer { id, base, title, from, to, by, policy_changes, density })
}

/// Opens a replay. The same stretch and instant asked for again is the same replay while it is open: many watch one (200).
/// Refused where the stretch is none (`wrong_order`), too long (`too_long`), not over yet (`after_now`), before the log
/// (`before_log`), where the log cannot be read (`log_unreadable`), and while as many are open as may be (`too_many_worlds`).
#[utoipa::path(post, path = "/api/v1/replays", tag = "worlds", request_body = ReplayOrder,
    responses((status = 200, body = ReplayAnswer), (status = 201, body = ReplayAnswer), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
pub async fn open(
    State(hall): State<Hall>,
    Extension(actor): Extension<Actor>,
    Json(order): Json<ReplayOrder>,
) -> Result<(StatusCode, Answer<ReplayAnswer>), Problem> {
    let ReplayOrder { from, to, at } = order;
    let opened = replay::open(&hall, Order { from, to, at }, &actor).await?;
    let answer = told(&opened.open).ok_or_else(gone)?;
    let status = if opened.joined { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Answer(answer)))
}

/// The replays that are open.
#[utoipa::path(get, path = "/api/v1/replays", tag = "worlds", responses((status = 200, body = Vec<ReplayAnswer>)))]
pub async fn list(State(hall): State<Hall>) -> Answer<Vec<ReplayAnswer>> {
    let open = hall.worlds.of_kind(WorldKind::Replay);
    Answer(open.iter().filter_map(|open| told(open)).collect())
}

/// Ends a replay: whoever opened it, a supervisor or an administrator.
#[utoipa::path(delete, path = "/api/v1/replays/{id}", tag = "worlds", params(("id" = String, Path)),
    responses((status = 204), (status = 403, body = Problem), (status = 410, body = Problem)))]
pub async fn close(
    State(hall): State<Hall>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let open = match hall.worlds.find(&id) {
        Found::Open(open) if open.identity.kind == WorldKind::Replay => open,
        Found::Open(_) | Found::Gone => return Err(gone()),
    };
    if !open.drive.as_ref().is_some_and(|drive| drive.may_end(&actor)) {
        let title = "复盘由打开者、监督或管理员关闭；a replay is closed by who opened it, a supervisor or an administrator";
        return Err(Problem::new(StatusCode::FORBIDDEN, "not_allowed", title));
    }
    hall.worlds.close(&id);
    Ok(StatusCode::NO_CONTENT)
}

fn gone() -> Problem {
    Problem::new(StatusCode::GONE, "world_gone", "该复盘已结束；this replay is over, or there never was one")
}
