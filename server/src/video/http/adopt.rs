//! `POST /api/v1/cameras/adopt`: another list of cameras for the running hall.
//!
//! The list is the body as its file holds it. No answer repeats an address or an account.

use crate::access::Actor;
use crate::cause::chain;
use crate::http::extract::Query;
use crate::problem::{Problem, language};
use crate::video::adoption::{Adoption, NotAdopted, Wish};
use crate::video::origin::adopted::KeepError;
use crate::video::origin::file::{Format, ListFile};
use crate::video::service::Video;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::{Extension, Json};
use domain::grant::Grant;
use domain::rejection::Language;
use domain::role::Role;
use domain::scope::Scope;

/// Takes a list of cameras into service, or says with `dry_run` what it would change. Cameras that are as they were go on
/// without a break; who watches one that is gone is told. For administrators, and machines with the grant `define`, that see
/// the whole city.
#[utoipa::path(post, path = "/api/v1/cameras/adopt", tag = "cameras", params(Wish),
    request_body(content((String = "text/csv"), (String = "application/toml")), description = "The list, as in docs/cameras.md"),
    responses((status = 200, body = Adoption), (status = 400, body = Problem), (status = 403, body = Problem),
        (status = 409, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem),
        (status = 507, body = Problem)))]
pub async fn adopt(
    State(video): State<Video>,
    actor: Option<Extension<Actor>>,
    Query(wish): Query<Wish>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Adoption>, Problem> {
    let by = actor.filter(|Extension(actor)| may_adopt(actor)).map(|Extension(actor)| actor.recorded());
    let by = by.ok_or_else(|| {
        let title = "this needs the role admin, or a machine's token that may define, for the whole city";
        Problem::new(StatusCode::FORBIDDEN, "not_allowed", title)
    })?;
    let language = language(&headers);
    let list = ListFile { format: format(&headers)?, bytes: body.to_vec() };
    let work = tokio::task::spawn_blocking(move || video.adopt(&list, wish, &by));
    let adopted = work.await.map_err(|error| Problem::internal("adopt a camera list", &error))?;
    adopted.map(Json).map_err(|why| match why {
        NotAdopted::Unreadable(error) => {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "list", chain(&error))
        }
        NotAdopted::Refused(considered) => {
            let title = match language {
                Language::Zh => format!("未作任何变更：{}", considered.said.zh),
                Language::En => format!("nothing was changed: {}", considered.said.en),
            };
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "list", title)
        }
        NotAdopted::Empty | NotAdopted::TooLarge { .. } => {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "list", format!("nothing was changed: {why}"))
        }
        NotAdopted::NotKept(error) => not_kept(error, language),
    })
}

/// As for a command: nothing was changed, and the same again may do.
fn not_kept(error: KeepError, language: Language) -> Problem {
    match error {
        KeepError::Busy => Problem::busy("the event log is busy; send the list again", 1),
        KeepError::Stopping => Problem::busy("the server is stopping; send the list again", 5),
        KeepError::Refused(rejection) => Problem::refused(&rejection, language),
        KeepError::NotStored(why) | KeepError::Lost(why) => {
            tracing::error!(why, "camera list not stored");
            let title = "the event log cannot be written; nothing was changed";
            Problem::new(StatusCode::INSUFFICIENT_STORAGE, "not_stored", title)
        }
    }
}

/// The list is one for the whole city.
fn may_adopt(actor: &Actor) -> bool {
    let machine = actor.has(Role::Machine) && actor.is_granted(Grant::Define);
    (actor.has(Role::Admin) || machine) && actor.scope == Scope::All
}

fn format(headers: &HeaderMap) -> Result<Format, Problem> {
    let said = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match said.split(';').next().unwrap_or_default().trim() {
        "text/csv" => Ok(Format::Csv),
        "application/toml" => Ok(Format::Toml),
        _ => {
            let title = "expected Content-Type text/csv or application/toml";
            Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_type", title))
        }
    }
}
