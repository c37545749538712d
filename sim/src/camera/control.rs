//! The control port: faults on and off over HTTP, for tests in other languages and for people with curl.
//!
//! `GET /cameras`, `GET /cameras/{code}`, `PUT|DELETE /cameras/{code}/faults/{fault}`,
//! `DELETE /cameras/{code}/faults`, `POST /cameras/{code}/cut`, `POST /power/off`, `POST /power/on`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::Serialize;

use super::fault::Fault;
use super::simulator::{CameraHandle, Counts, Simulator};
use super::spec::Profile;

/// State of one camera, as the control port tells it.
#[derive(Debug, Serialize)]
struct Status {
    code: String,
    main: String,
    sub: String,
    faults: Vec<Fault>,
    #[serde(flatten)]
    counts: Counts,
}

type Refusal = (StatusCode, String);

/// The routes over a running simulator.
pub fn router(simulator: Arc<Simulator>) -> Router {
    Router::new()
        .route("/cameras", get(list))
        .route("/cameras/{code}", get(one))
        .route("/cameras/{code}/faults", axum::routing::delete(clear_all))
        .route("/cameras/{code}/faults/{fault}", put(set).delete(clear))
        .route("/cameras/{code}/cut", post(cut))
        .route("/power/off", post(power_off))
        .route("/power/on", post(power_on))
        .with_state(simulator)
}

fn status(simulator: &Simulator, handle: &CameraHandle) -> Status {
    let code = handle.spec().code.clone();
    Status {
        main: simulator.url(&code, Profile::Main),
        sub: simulator.url(&code, Profile::Sub),
        faults: handle.faults(),
        counts: handle.counts(),
        code,
    }
}

fn find(simulator: &Simulator, code: &str) -> Result<CameraHandle, Refusal> {
    simulator.camera(code).map_err(|error| (StatusCode::NOT_FOUND, error.to_string()))
}

fn parse(fault: &str) -> Result<Fault, Refusal> {
    fault.parse().map_err(|error: super::fault::UnknownFault| (StatusCode::BAD_REQUEST, error.to_string()))
}

async fn list(State(simulator): State<Arc<Simulator>>) -> Json<Vec<Status>> {
    let handles = simulator.codes().filter_map(|code| simulator.camera(code).ok());
    Json(handles.map(|handle| status(&simulator, &handle)).collect())
}

async fn one(
    State(simulator): State<Arc<Simulator>>,
    Path(code): Path<String>,
) -> Result<Json<Status>, Refusal> {
    let handle = find(&simulator, &code)?;
    Ok(Json(status(&simulator, &handle)))
}

async fn set(
    State(simulator): State<Arc<Simulator>>,
    Path((code, fault)): Path<(String, String)>,
) -> Result<Json<Status>, Refusal> {
    let handle = find(&simulator, &code)?;
    handle.set_fault(parse(&fault)?);
    Ok(Json(status(&simulator, &handle)))
}

async fn clear(
    State(simulator): State<Arc<Simulator>>,
    Path((code, fault)): Path<(String, String)>,
) -> Result<Json<Status>, Refusal> {
    let handle = find(&simulator, &code)?;
    handle.clear_fault(parse(&fault)?);
    Ok(Json(status(&simulator, &handle)))
}

async fn clear_all(
    State(simulator): State<Arc<Simulator>>,
    Path(code): Path<String>,
) -> Result<Json<Status>, Refusal> {
    let handle = find(&simulator, &code)?;
    handle.clear_faults();
    Ok(Json(status(&simulator, &handle)))
}

async fn cut(
    State(simulator): State<Arc<Simulator>>,
    Path(code): Path<String>,
) -> Result<StatusCode, Refusal> {
    find(&simulator, &code)?.cut();
    Ok(StatusCode::NO_CONTENT)
}

async fn power_off(State(simulator): State<Arc<Simulator>>) -> StatusCode {
    simulator.power_off().await;
    StatusCode::NO_CONTENT
}

async fn power_on(State(simulator): State<Arc<Simulator>>) -> Result<StatusCode, Refusal> {
    let failed = |error: super::simulator::SimulatorError| (StatusCode::CONFLICT, crate::chain(&error));
    simulator.power_on().await.map_err(failed)?;
    Ok(StatusCode::NO_CONTENT)
}
