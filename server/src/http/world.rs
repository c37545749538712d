//! `/api/v1/world`: which world this hall shows, what its clock says, and setting that clock where it may be set.

use axum::Extension;
use axum::Json as Answer;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use domain::grant::Grant;
use domain::role::Role;
use domain::world::{PACE_MAX, PACE_REAL, SetClock, WorldAnswer, WorldState};

use super::Hall;
use crate::access::Actor;
use crate::http::extract::Json;
use crate::problem::{Problem, language};
use crate::world::{Identity, Shown};

fn answer(hall: &Hall) -> WorldAnswer {
    let (now, pace_milli) = hall.clock.course();
    let real = if pace_milli == 0 { WorldState::Paused } else { WorldState::Running };
    let (from, to, state) = match &hall.shown {
        Shown::Live | Shown::Demonstration(_) => (None, None, real),
        Shown::Driven(drive) => match drive.told() {
            Some(told) => (Some(told.from), Some(told.to), told.state),
            None => (None, None, real),
        },
    };
    let Identity { kind, id, title } = (*hall.identity).clone();
    WorldAnswer { kind, id: id.unwrap_or_default(), title, now, pace_milli, from, to, state }
}

/// Which world this is, the hall's time, and how fast its clock goes.
#[utoipa::path(get, path = "/api/v1/world", tag = "hall", responses((status = 200, body = WorldAnswer)))]
pub async fn show(State(hall): State<Hall>) -> Answer<WorldAnswer> {
    Answer(answer(&hall))
}

/// An administrator of the whole hall, or the simulated city on their behalf.
fn may_drive(actor: &Actor) -> bool {
    let is_trusted = actor.has(Role::Admin) || actor.has(Role::Machine) && actor.is_granted(Grant::Define);
    is_trusted && actor.scope.is_all()
}

/// Sets the clock of a world that is not live. A demonstration's goes at 1,000 to 600,000 thousandths of the pace at which
/// time passes, and is taken to no other instant.
#[utoipa::path(post, path = "/api/v1/world/clock", tag = "hall", request_body = SetClock,
    responses((status = 200, body = WorldAnswer), (status = 400, body = Problem), (status = 403, body = Problem), (status = 409, body = Problem)))]
pub async fn set_clock(
    State(hall): State<Hall>,
    Extension(actor): Extension<Actor>,
    headers: HeaderMap,
    Json(asked): Json<SetClock>,
) -> Result<Answer<WorldAnswer>, Problem> {
    match &hall.shown {
        Shown::Live => {
            let title = "this is the live hall: its clock is the machine's, and nobody drives it";
            return Err(Problem::new(StatusCode::CONFLICT, "clock_is_real", title));
        }
        Shown::Driven(drive) => drive.drive(&actor, asked, language(&headers)).await?,
        Shown::Demonstration(driver) => {
            if !may_drive(&actor) {
                let title =
                    "only an administrator or a machine that may define drives a demonstration's clock";
                return Err(Problem::new(StatusCode::FORBIDDEN, "not_allowed", title));
            }
            if asked.at.is_some() {
                let title = "a demonstration's clock is taken to no other instant; it only goes faster";
                return Err(Problem::bad_request("at", title));
            }
            let pace = asked.pace_milli.ok_or_else(|| {
                Problem::bad_request("pace_milli", "expected the pace, in thousandths of real time")
            })?;
            if !(PACE_REAL..=PACE_MAX).contains(&pace) {
                let title = format!("{pace} is not within {PACE_REAL} to {PACE_MAX}");
                return Err(Problem::bad_request("pace_milli", title));
            }
            driver.set_pace_milli(pace);
            tracing::info!(
                by = actor.name,
                pace_milli = pace,
                "the demonstration's clock goes at another pace"
            );
        }
    }
    Ok(Answer(answer(&hall)))
}
