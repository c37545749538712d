//! What an import from elsewhere must know of this store before it sends rows.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json as Answer};
use domain::answer::ImportNamespace;
use domain::role::Role;

use super::Hall;
use super::cases::store_problem;
use crate::access::Actor;
use crate::problem::Problem;

/// What the keys of imported rows are made with: UUIDv5 of this namespace and `system` + line feed + `id`. The store's
/// secret is in it, so only those who may take cases over are told.
#[utoipa::path(get, path = "/api/v1/import/namespace", tag = "commands",
    responses((status = 200, body = ImportNamespace), (status = 403, body = Problem)))]
pub async fn namespace(
    State(hall): State<Hall>,
    Extension(actor): Extension<Actor>,
) -> Result<Answer<ImportNamespace>, Problem> {
    if !actor.roles.iter().any(|role| matches!(role, Role::Machine | Role::Admin)) {
        let title = "only a machine's token or an administrator may import cases";
        return Err(Problem::new(StatusCode::FORBIDDEN, "not_allowed", title));
    }
    let read = hall.reader.run(|reader| reader.import_namespace()).await.map_err(store_problem)?;
    Ok(Answer(ImportNamespace { namespace: read.to_string() }))
}
