//! What an import from elsewhere must know of this store before it sends rows.

use axum::Json as Answer;
use axum::extract::State;
use domain::answer::ImportNamespace;

use super::Hall;
use super::cases::store_problem;
use crate::problem::Problem;
use crate::turn::Reading;

/// What the keys of imported rows are made with: UUIDv5 of this namespace and `system` + line feed + `id`. The store's
/// secret is in it, so only those who may take cases over are told.
#[utoipa::path(get, path = "/api/v1/import/namespace", tag = "commands",
    responses((status = 200, body = ImportNamespace), (status = 403, body = Problem)))]
pub async fn namespace(State(hall): State<Hall>) -> Result<Answer<ImportNamespace>, Problem> {
    let read =
        hall.reader.run(Reading::Desk, |reader| reader.import_namespace()).await.map_err(store_problem)?;
    Ok(Answer(ImportNamespace { namespace: read.to_string() }))
}
