//! Which walls there are, and what hangs on them.

use axum::Json as Answer;
use axum::extract::State;
use domain::scene::Walls;

use super::Hall;

/// The walls of the hall, and the scenes there are.
#[utoipa::path(get, path = "/api/v1/walls", tag = "hall", responses((status = 200, body = Walls)))]
pub async fn list(State(hall): State<Hall>) -> Answer<Walls> {
    Answer(Walls::clone(&hall.walls))
}
