//! `POST /api/v1/commands`: one command, or a batch whose rows are answered each on its own.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::{Extension, Json as Answered};
use domain::command::Command;
use domain::moment::UtcMillis;
use domain::rejection::{Language, Rejection};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Hall;
use crate::access::Actor;
use crate::http::extract::Json;
use crate::http::once::Once;
use crate::problem::{Problem, clock_doubted, language};
use crate::stored::command::fresh_key;
use crate::writer::pen::Order;
use crate::writer::{Answer, WriteError};

/// Commands in one batch.
pub const BATCH_MAX: usize = 1_000;

/// One command, or a batch.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
#[allow(
    dead_code,
    clippy::large_enum_variant,
    reason = "describes the body; rows are read one by one so that each gets its own answer"
)]
enum Body {
    Batch(Batch),
    One(Row),
}

/// 1 to 1,000 rows.
#[derive(Deserialize, utoipa::ToSchema)]
#[allow(dead_code, reason = "see Body")]
struct Batch {
    #[schema(min_items = 1, max_items = 1_000)]
    commands: Vec<Row>,
}

/// One command with its idempotency key.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// UUID made by the client (version 7 is best). Sending the same command with the same key again is safe and
    /// answers as it did the first time. Without one the server makes one, and a repeat is a new command.
    #[schema(value_type = Option<String>)]
    key: Option<Uuid>,
    /// The case's `version` that whoever decided had before their eyes. When the case has taken a step since, the command is
    /// refused as `moved_on`, with what happened meanwhile; notes, claims and passed deadlines do not count. Without it
    /// nothing is compared.
    #[serde(default)]
    seen: Option<u64>,
    command: Command,
}

/// Answer to one row of a batch.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RowAnswer {
    Taken(Answer),
    Refused(Problem),
}

/// Answer to a batch: as many rows as were sent, in their order.
#[derive(Serialize, utoipa::ToSchema)]
pub struct BatchAnswer {
    results: Vec<RowAnswer>,
}

/// What came of the request.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum Outcome {
    One(Answer),
    Batch(BatchAnswer),
}

/// Sends commands. They are answered after their events are durable, never before.
#[utoipa::path(post, path = "/api/v1/commands", tag = "commands", request_body = Body,
    responses((status = 200, body = Outcome), (status = 400, body = Problem), (status = 403, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem)))]
pub async fn post(
    State(hall): State<Hall>,
    Extension(actor): Extension<Actor>,
    headers: HeaderMap,
    Json(Once(body)): Json<Once>,
) -> Result<Answered<Outcome>, Problem> {
    let language = language(&headers);
    let serde_json::Value::Object(mut fields) = body else {
        return Err(Problem::bad_request("body", "expected {key, command} or {commands: […]}"));
    };
    if fields.contains_key("command") {
        let order = order(fields.into(), hall.clock.now(), &actor, language)?;
        let answer = hall.writer.send(order).await.map_err(|error| write_problem(error, language))?;
        return Ok(Answered(Outcome::One(answer)));
    }
    let Some(serde_json::Value::Array(rows)) = fields.remove("commands") else {
        return Err(Problem::bad_request("commands", "expected {key, command} or {commands: […]}"));
    };
    if let Some(field) = fields.keys().next() {
        return Err(Problem::bad_request(field, "unknown field beside commands"));
    }
    if rows.is_empty() || rows.len() > BATCH_MAX {
        return Err(Problem::bad_request("commands", "expected 1 to 1,000 rows"));
    }
    let results = batch(&hall, rows, &actor, language).await;
    Ok(Answered(Outcome::Batch(BatchAnswer { results })))
}

async fn batch(
    hall: &Hall,
    rows: Vec<serde_json::Value>,
    actor: &Actor,
    language: Language,
) -> Vec<RowAnswer> {
    let now = hall.clock.now();
    let checked: Vec<Result<Order, Problem>> = rows
        .into_iter()
        .enumerate()
        .map(|(index, row)| {
            order(row, now, actor, language).map_err(|problem| problem.in_row("commands", index))
        })
        .collect();
    let good: Vec<Order> = checked.iter().filter_map(|row| row.as_ref().ok().cloned()).collect();
    let mut answers = hall.writer.send_many(good).await.into_iter();
    checked
        .into_iter()
        .enumerate()
        .map(|(index, row)| match row {
            Err(problem) => RowAnswer::Refused(problem),
            Ok(_) => match answers.next().unwrap_or(Err(WriteError::Stopped)) {
                Ok(answer) => RowAnswer::Taken(answer),
                Err(error) => RowAnswer::Refused(write_problem(error, language).in_row("commands", index)),
            },
        })
        .collect()
}

fn order(
    row: serde_json::Value,
    now: UtcMillis,
    actor: &Actor,
    language: Language,
) -> Result<Order, Problem> {
    let row: Row = serde_path_to_error::deserialize(row)
        .map_err(|error| Problem::malformed("malformed_command", &error))?;
    let department = actor.acts_for(&row.command).map_err(|rejection| {
        let withheld = actor.powers_withheld && matches!(rejection, Rejection::NotAllowed { .. });
        Problem::refused(if withheld { &Rejection::PowersApart } else { &rejection }, language)
    })?;
    Ok(Order {
        key: row.key.unwrap_or_else(|| fresh_key(now)),
        by: actor.recorded(),
        department,
        scope: actor.scope.clone(),
        seen: row.seen,
        command: row.command,
    })
}

/// Nothing is changed in the past.
pub fn past_is_read_only() -> Problem {
    let title = "复盘中不办理；this is the past, nothing is changed here";
    Problem::new(axum::http::StatusCode::CONFLICT, "past_is_read_only", title)
}

/// What the writer's refusal means to the caller.
pub fn write_problem(error: WriteError, language: Language) -> Problem {
    match error {
        WriteError::Refused(rejection) => Problem::refused(&rejection, language),
        WriteError::ClockDoubted(rejection) => {
            let mut problem = clock_doubted(match language {
                Language::Zh => {
                    format!("服务器时钟存疑，请稍后重发；未作任何变更。{}", rejection.words(language))
                }
                Language::En => format!(
                    "the server's clock is doubted, send it again later; nothing was changed: {}",
                    rejection.words(language)
                ),
            });
            problem.field = rejection.field().map(str::to_owned);
            problem
        }
        WriteError::Busy => Problem::busy("the event log is busy; send the command again", 1),
        WriteError::Past => past_is_read_only(),
        WriteError::Stopped => Problem::busy("the server is stopping; send the command again", 5),
        WriteError::NotStored(why) => {
            // The writer tells the log, which on a full disk would hold a line for every try of every phone.
            tracing::debug!(why, "command not stored");
            let status = axum::http::StatusCode::INSUFFICIENT_STORAGE;
            Problem::new(status, "not_stored", "the event log cannot be written; nothing was changed")
        }
    }
}
