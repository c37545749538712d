//! `/api/v1/cases/{id}/files`: listing the files of a case, and reading one or its small picture.
//!
//! What should not be here: what is taken and what becomes of it (`crate::files`), sending one (`sending`).

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json as Answer};
use domain::answer::files::{FileLine, FilesAnswer};
use domain::code::CaseId;
use domain::file::{AttachedFile, FileHash, Media};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tower_http::services::ServeFile;

use super::Hall;
use super::cases::{list_problem, store_problem};
use super::extract::Path;
use crate::access::Actor;
use crate::events::Reader;
use crate::problem::Problem;
use crate::turn::Reading;

pub mod sending;

fn case_id(id: &str) -> Result<CaseId, Problem> {
    let number = id.parse::<u64>();
    number
        .map(CaseId)
        .map_err(|_| Problem::bad_request("id", format!("`{id}` is not a case's id, a whole number")))
}

async fn files_of(hall: &Hall, case: CaseId) -> Result<Vec<FileLine>, Problem> {
    hall.reader.run(Reading::Desk, move |reader| reader.files(case)).await.map_err(store_problem)
}

/// The files of a case, for whoever sees the case.
async fn seen(hall: &Hall, actor: &Actor, id: &str) -> Result<Vec<FileLine>, Problem> {
    let case = case_id(id)?;
    let (scope, lists) = (actor.scope.clone(), hall.lists.clone());
    let asked = scope.clone();
    let listed = hall.lists.run(Reading::Desk, move |lists| lists.case(&asked, case)).await;
    let listed = listed.map_err(list_problem)?.is_some();
    let read = move |reader: &Reader| {
        // A closed case may not be laid out yet.
        let sees = listed
            || (!lists.reaches_all() && reader.case(case)?.is_some_and(|case| scope.admits_case(&case)));
        if sees { reader.files(case).map(Some) } else { Ok(None) }
    };
    let files = hall.reader.run(Reading::Desk, read).await.map_err(store_problem)?;
    files.ok_or_else(|| Problem::not_found(format!("no case {case}")))
}

/// The files of a case, with what is known of each.
#[utoipa::path(get, path = "/api/v1/cases/{id}/files", tag = "cases", params(("id" = u64, Path)),
    responses((status = 200, body = FilesAnswer), (status = 404, body = Problem)))]
pub async fn list(
    State(hall): State<Hall>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
) -> Result<Answer<FilesAnswer>, Problem> {
    Ok(Answer(FilesAnswer { items: seen(&hall, &actor, &id).await? }))
}

/// One file as it is kept. A picture is shown, a document only ever saved: no browser opens one as a page of this hall.
#[utoipa::path(get, path = "/api/v1/cases/{id}/files/{hash}", tag = "cases",
    params(("id" = u64, Path), ("hash" = String, Path)),
    responses((status = 200, description = "the file"), (status = 404, body = Problem)))]
pub async fn one(
    State(hall): State<Hall>,
    Extension(actor): Extension<Actor>,
    Path((id, hash)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Problem> {
    let file = found(&hall, &actor, &id, &hash).await?;
    let path = hall.files.path_of(&file.hash);
    serve(&path, &file, file.media.mime(), request).await
}

/// The small picture of a picture: JPEG, 320 points on its longer side.
#[utoipa::path(get, path = "/api/v1/cases/{id}/files/{hash}/thumbnail", tag = "cases",
    params(("id" = u64, Path), ("hash" = String, Path)),
    responses((status = 200, description = "the picture"), (status = 404, body = Problem)))]
pub async fn small(
    State(hall): State<Hall>,
    Extension(actor): Extension<Actor>,
    Path((id, hash)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Problem> {
    let file = found(&hall, &actor, &id, &hash).await?;
    if !file.media.is_picture() {
        return Err(Problem::not_found("a document has no small picture"));
    }
    let path = hall.files.small(file.hash).await.ok_or_else(|| gone(&file))?;
    serve(&path, &file, Media::Jpeg.mime(), request).await
}

/// The newest file of a case with these bytes.
async fn found(hall: &Hall, actor: &Actor, id: &str, hash: &str) -> Result<AttachedFile, Problem> {
    let files = seen(hall, actor, id).await?;
    let none = || Problem::not_found("the case has no such file");
    let hash: FileHash = hash.parse().map_err(|_| none())?;
    files.into_iter().rev().map(|line| line.file).find(|file| file.hash == hash).ok_or_else(none)
}

/// An event names it, and it is not there.
fn gone(file: &AttachedFile) -> Problem {
    tracing::error!(hash = %file.hash, "a file that an event names is not there or damaged; `gridhall check` names all of them");
    Problem::new(
        StatusCode::NOT_FOUND,
        "file_missing",
        "the file is missing on the server; its administrator finds it by `gridhall check`",
    )
}

async fn serve(
    path: &std::path::Path,
    file: &AttachedFile,
    mime: &'static str,
    request: Request,
) -> Result<Response, Problem> {
    let answer = ServeFile::new(path).try_call(request).await;
    let answer = answer.map_err(|error| Problem::internal("cannot read a file of a case", &error))?;
    if answer.status() == StatusCode::NOT_FOUND {
        return Err(gone(file));
    }
    let mut answer = answer.into_response();
    let headers = answer.headers_mut();
    let fixed = [
        (header::CONTENT_TYPE, mime),
        // Whatever it holds is neither run nor lets anything be loaded.
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Who may see it is asked each time.
        (header::CACHE_CONTROL, "private, no-cache"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(value) = disposition(file).parse() {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(answer)
}

/// What stays as it is in the name of a download (RFC 8187).
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

/// Shown or saved, and under which name: with the ending of what it is, whatever ending it came with.
fn disposition(file: &AttachedFile) -> String {
    let (how, ending) = match file.media {
        Media::Jpeg => ("inline", "jpg"),
        Media::Pdf => ("attachment", "pdf"),
        Media::Docx => ("attachment", "docx"),
        Media::Xlsx => ("attachment", "xlsx"),
    };
    let stem = file.name.rsplit_once('.').map_or(file.name.as_str(), |(stem, _)| stem);
    let stem = if stem.is_empty() { "file" } else { stem };
    let name = format!("{stem}.{ending}");
    format!("{how}; filename=\"file.{ending}\"; filename*=UTF-8''{}", utf8_percent_encode(&name, PLAIN))
}

#[cfg(test)]
mod tests {
    use domain::file::FileKind;

    use super::*;

    #[test]
    fn a_document_is_saved_under_its_name_with_the_ending_of_what_it_is() {
        let file = |name: &str, media| AttachedFile {
            hash: FileHash([0; 32]),
            name: name.to_owned(),
            kind: FileKind::Document,
            media,
            bytes: 1,
            taken: None,
            place: None,
        };
        assert_eq!(
            disposition(&file("说明\".exe", Media::Pdf)),
            "attachment; filename=\"file.pdf\"; filename*=UTF-8''%E8%AF%B4%E6%98%8E%22.pdf"
        );
        assert_eq!(
            disposition(&file("a.png", Media::Jpeg)),
            "inline; filename=\"file.jpg\"; filename*=UTF-8''a.jpg"
        );
        assert!(disposition(&file(".html", Media::Xlsx)).ends_with("UTF-8''file.xlsx"));
    }
}
