//! `/api/v1/policy`: the policy in force, and another one for the running hall.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::{Extension, Json};
use domain::policy::Policy;
use domain::rejection::Language;
use serde::{Deserialize, Serialize};

use super::Hall;
use super::commands::write_problem;
use crate::access::Actor;
use crate::adoption::{Adoption, Standing, Wish, consider};
use crate::config;
use crate::http::extract::Query;
use crate::problem::{Problem, language};

/// The policy in force.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
pub struct PolicyAnswer {
    /// 0 is the policy the store began with; each adoption is one more.
    pub version: u64,
    /// SHA-256 of its body; none for the one the store began with.
    pub hash: Option<String>,
    /// All of it, as a policy file holds it.
    #[schema(value_type = Object)]
    pub policy: Policy,
}

/// The policy in force, whole. For whoever may adopt another.
#[utoipa::path(get, path = "/api/v1/policy", tag = "hall",
    responses((status = 200, body = PolicyAnswer), (status = 403, body = Problem)))]
pub async fn show(State(hall): State<Hall>) -> Json<PolicyAnswer> {
    let in_force = hall.in_force();
    let hash = in_force.hash.map(|hash| hash.to_string());
    Json(PolicyAnswer { version: in_force.version, hash, policy: (*in_force.policy).clone() })
}

/// Brings another policy into force, or says with `dry_run` what it would change. Running limits follow its calendar, codes it
/// retires stay readable, and nothing it may not change is changed. For administrators, and machines with the grant `define`,
/// that see the whole city.
#[utoipa::path(post, path = "/api/v1/policy", tag = "hall", params(Wish),
    request_body(content((String = "application/toml"), (Object = "application/json")), description = "The whole policy, as in config/policy.toml"),
    responses((status = 200, body = Adoption), (status = 400, body = Problem), (status = 403, body = Problem),
        (status = 409, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem)))]
pub async fn adopt(
    State(hall): State<Hall>,
    Extension(actor): Extension<Actor>,
    Query(wish): Query<Wish>,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Result<Json<Adoption>, Problem> {
    let language = language(&headers);
    let format = Format::of(&headers)?;
    let standing = hall.clone();
    let work = tokio::task::spawn_blocking(move || {
        let policy = format.read(&body)?;
        policy.check().map_err(refused)?;
        Ok((considered(&standing, &policy), policy))
    });
    let (mut adoption, policy) =
        work.await.map_err(|error| Problem::internal("adopt a policy", &error))??;
    if wish.dry_run {
        return Ok(Json(adoption));
    }
    if let Some(first) = adoption.refused.first() {
        let words = match language {
            Language::Zh => &first.said.zh,
            Language::En => &first.said.en,
        };
        let said = format!("{words}{}", more(language, adoption.refused.len() - 1));
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "policy", said).at(&first.field));
    }
    let upon = wish.upon.unwrap_or(adoption.version);
    let adopted = hall.writer.adopt(actor.recorded(), policy, upon).await;
    let adopted = adopted.map_err(|error| write_problem(error, language))?;
    adoption.adopted = true;
    adoption.version = adopted.version;
    Ok(Json(adoption))
}

/// How many reasons there are besides the one that is said; a dry run lists them.
fn more(language: Language, count: usize) -> String {
    match (language, count) {
        (_, 0) => String::new(),
        (Language::Zh, count) => format!("（另有 {count} 处，试运行可见）"),
        (Language::En, count) => format!(" (and {count} more, which a dry run lists)"),
    }
}

fn considered(hall: &Hall, policy: &Policy) -> Adoption {
    let ((catalogue, in_force), stand) = (hall.of_one_moment(), hall.lists.present().load());
    consider(
        &Standing {
            in_force: &in_force,
            catalogue: &catalogue,
            cases: stand.open.iter().map(AsRef::as_ref).collect(),
            whistles: stand.whistles.values().map(AsRef::as_ref).collect(),
            lists: &hall.lists,
            now: hall.clock.now(),
        },
        policy,
    )
}

fn refused(problem: String) -> Problem {
    let field = problem.split([':', ' ']).next().unwrap_or_default().to_owned();
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "policy", problem).at(&field)
}

#[derive(Clone, Copy)]
enum Format {
    Toml,
    Json,
}

impl Format {
    fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let said =
            headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        match said.split(';').next().unwrap_or_default().trim() {
            "application/toml" => Ok(Self::Toml),
            "application/json" => Ok(Self::Json),
            _ => {
                let title = "expected Content-Type application/toml or application/json";
                Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_type", title))
            }
        }
    }

    fn read(self, body: &[u8]) -> Result<Policy, Problem> {
        match self {
            Self::Toml => {
                let text = std::str::from_utf8(body)
                    .map_err(|error| Problem::bad_request("body", format!("not UTF-8: {error}")))?;
                config::read_policy(text).map_err(|slip| {
                    let problem = Problem::new(StatusCode::BAD_REQUEST, "malformed_policy", slip.to_string());
                    slip.field.iter().fold(problem, |problem, field| problem.at(field))
                })
            }
            Self::Json => {
                let mut text = serde_json::Deserializer::from_slice(body);
                serde_path_to_error::deserialize(&mut text)
                    .map_err(|error| Problem::malformed("malformed_policy", &error))
            }
        }
    }
}
