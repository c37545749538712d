//! `POST /api/v1/cases/{id}/files`: a file on its way in, read as it arrives.
//!
//! What should not be here: what is taken and what becomes of it (`crate::files`), whether a case takes one (`domain`).

use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::{Extension, Json as Answer};
use domain::answer::files::FileLine;
use domain::code::CaseId;
use domain::command::Command;
use domain::file::{AttachedFile, FileHash, FileKind, Media};
use domain::rejection::{Language, RangeProblem, Rejection};
use domain::text::{TextKind, check_stated};
use futures_util::StreamExt;
use serde::Deserialize;
use uuid::Uuid;

use super::{case_id, files_of};
use crate::access::Actor;
use crate::files::{Claim, Incoming, Made, NoPlace, Refusal};
use crate::http::Hall;
use crate::http::body::drain;
use crate::http::cases::list_problem;
use crate::http::commands::write_problem;
use crate::http::extract::{Path, Query};
use crate::problem::{Problem, language};
use crate::stored::command::fresh_key;
use crate::turn::Reading;
use crate::writer::pen::Order;
use crate::writer::{self, WriteError};

/// A sender that says nothing for so long has gone.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// 20 MiB over a village's line take less.
const WHOLE_MAX: Duration = Duration::from_secs(15 * 60);
/// What of a refused file is read and thrown away, so that its sender reads the answer and no broken pipe.
const DRAINED_FOR_MAX: Duration = Duration::from_secs(10);

/// What is said of a file beside its bytes.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FileQuery {
    /// `photo_before`, `photo_after` or `document`.
    #[param(inline)]
    kind: FileKind,
    /// What people call it: 300 bytes at most. Of a path its last part is taken.
    name: String,
    /// As of a command: the same file with the same key is attached once, however often it is sent.
    #[param(value_type = Option<String>)]
    key: Option<Uuid>,
}

/// Attaches a file to an open case. What it is, its bytes say: pictures (JPEG, PNG, WebP) are made anew as JPEG without what was written
/// beside their points, but when and where they were taken; documents (PDF, docx, xlsx) are kept as they are; everything else is refused.
/// The same bytes of the same kind are attached to a case once.
#[utoipa::path(post, path = "/api/v1/cases/{id}/files", tag = "cases", params(("id" = u64, Path), FileQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = FileLine), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem), (status = 507, body = Problem)))]
pub async fn attach(
    State(hall): State<Hall>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
    query: Result<Query<FileQuery>, Problem>,
    request: Request,
) -> Result<Answer<FileLine>, Problem> {
    let language = language(request.headers());
    let asked = begin(&hall, &actor, &id, query, (request.headers(), language)).await;
    let (mut order, sent) = match asked {
        Ok(begun) => begun,
        Err(problem) => {
            let _late = tokio::time::timeout(DRAINED_FOR_MAX, drain(request.into_body())).await;
            return Err(problem);
        }
    };
    let refused = |refusal: Refusal| refused(refusal, language);
    let arrived = tokio::time::timeout(WHOLE_MAX, arrive(request.into_body(), sent)).await;
    let sent = arrived.unwrap_or_else(|_| Err(late())).map_err(|no| no.problem(language))?;
    let made = hall.files.make(&sent, hall.policy().utc_offset_minutes).await.map_err(refused)?;
    let Command::AttachFile { case, file } = &mut order.command else {
        return Err(Problem::internal(
            "cannot attach a file",
            &std::io::Error::other("not a file's command"),
        ));
    };
    let case = *case;
    file.hash = made.hash;
    (file.media, file.bytes, file.taken, file.place) =
        (made.media, made.bytes.len() as u64, made.taken, made.place);
    if !file.kind.takes(file.media) {
        let problem = RangeProblem::NoPicture;
        return Err(Problem::refused(&Rejection::OutOfRange { field: "kind".to_owned(), problem }, language));
    }
    let (hash, kind) = (file.hash, file.kind);
    let known = files_of(&hall, case).await?;
    if let Some(line) = known.into_iter().find(|line| (line.file.hash, line.file.kind) == (hash, kind)) {
        return Ok(Answer(line));
    }
    let seq = record(&hall, (made, sent), case, order, language).await?;
    let line = files_of(&hall, case).await?.into_iter().find(|line| line.seq == seq);
    line.map(Answer).ok_or_else(|| Problem::not_found("the file's event is not there"))
}

/// Refuses whoever may not, and what cannot be, before a byte is read.
async fn begin(
    hall: &Hall,
    actor: &Actor,
    id: &str,
    query: Result<Query<FileQuery>, Problem>,
    (headers, language): (&HeaderMap, Language),
) -> Result<(Order, Incoming), Problem> {
    let (case, FileQuery { kind, name, key }) = (case_id(id)?, query?.0);
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default().trim().to_owned();
    check_stated(&name, TextKind::Name).map_err(|error| {
        let problem = RangeProblem::Text(error);
        Problem::refused(&Rejection::OutOfRange { field: "name".to_owned(), problem }, language)
    })?;
    let hash = FileHash([0; 32]);
    // What is not known yet follows when the file is there.
    let file = AttachedFile { hash, name, kind, media: Media::Jpeg, bytes: 0, taken: None, place: None };
    let command = Command::AttachFile { case, file };
    let department = actor.acts_for(&command).map_err(|rejection| {
        let withheld = actor.powers_withheld && matches!(rejection, Rejection::NotAllowed { .. });
        Problem::refused(if withheld { &Rejection::PowersApart } else { &rejection }, language)
    })?;
    let scope = actor.scope.clone();
    let open = hall.lists.run(Reading::Desk, move |lists| lists.case(&scope, case)).await;
    if !open.map_err(list_problem)?.is_some_and(|case| case.is_open()) {
        return Err(Problem::refused(&Rejection::UnknownCase { case }, language));
    }
    let stated =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let most = hall.files.settings().file_bytes();
    if stated.is_some_and(|bytes| bytes > most) {
        return Err(refused(Refusal::TooLarge { most }, language));
    }
    let files = hall.files.clone();
    let room = tokio::task::spawn_blocking(move || files.has_room(stated.unwrap_or(0))).await;
    room.unwrap_or(Err(Refusal::NoRoom)).map_err(|refusal| refused(refusal, language))?;
    let sent = hall.files.receive(&actor.name).map_err(|why| {
        let title = match why {
            NoPlace::OfThisSender => "too many files from this sender at once; try again in a second",
            NoPlace::OfAll => "too many files at once; try again in a second",
        };
        Problem::busy(title, 1)
    })?;
    let key = key.unwrap_or_else(|| fresh_key(hall.clock.now()));
    let scope = actor.scope.clone();
    let order = Order { key, by: actor.recorded(), department, scope, seen: None, command };
    Ok((order, sent))
}

/// Why a file did not arrive.
enum NotHere {
    Refused(Refusal),
    Problem(Problem),
}

impl NotHere {
    fn problem(self, language: Language) -> Problem {
        match self {
            Self::Refused(refusal) => refused(refusal, language),
            Self::Problem(problem) => problem,
        }
    }
}

fn late() -> NotHere {
    NotHere::Problem(Problem::new(StatusCode::REQUEST_TIMEOUT, "body", "the file did not arrive in time"))
}

/// Takes a body as it comes. What breaks off is gone.
async fn arrive(body: Body, mut sent: Incoming) -> Result<Incoming, NotHere> {
    let stated = body.size_hint().exact();
    let mut pieces = body.into_data_stream();
    let mut bytes = 0;
    loop {
        let piece = tokio::time::timeout(SILENCE_MAX, pieces.next()).await.map_err(|_| late())?;
        let Some(piece) = piece else { break };
        let broken = |error: axum::Error| Problem::new(StatusCode::BAD_REQUEST, "body", error.to_string());
        let piece = piece.map_err(|error| NotHere::Problem(broken(error)))?;
        bytes += piece.len() as u64;
        if let Err(refusal) = sent.take(&piece).await {
            let _late = tokio::time::timeout(DRAINED_FOR_MAX, async {
                while let Some(Ok(_)) = pieces.next().await {}
            })
            .await;
            return Err(NotHere::Refused(refusal));
        }
    }
    if stated.is_some_and(|stated| stated != bytes) {
        let problem = Problem::new(StatusCode::BAD_REQUEST, "body", "the file broke off on its way");
        return Err(NotHere::Problem(problem));
    }
    sent.whole().await.map_err(NotHere::Refused)?;
    Ok(sent)
}

/// Lays the file down and has its event recorded; gives the event's number. Goes on to its end when whoever sent it has gone: a file is
/// not taken away whose event may come. It has its sender's place until then: what waits for a slow disk lies in memory.
async fn record(
    hall: &Hall,
    (made, sent): (Made, Incoming),
    case: CaseId,
    order: Order,
    language: Language,
) -> Result<u64, Problem> {
    let (files, writer) = (hall.files.clone(), hall.writer.clone());
    let recording = tokio::spawn(async move {
        let put = tokio::task::spawn_blocking(move || files.put(&made, case)).await;
        let mut claim = put.unwrap_or(Err(Refusal::NoRoom)).map_err(|refusal| refused(refusal, language))?;
        claim.sent();
        let outcome = writer.send(order).await;
        let ended = tokio::task::spawn_blocking(move || end(claim, outcome)).await;
        drop(sent);
        ended.unwrap_or(Err(WriteError::Stopped)).map_err(|error| write_problem(error, language))
    });
    let answer =
        recording.await.unwrap_or_else(|error| Err(Problem::internal("cannot record a file", &error)))?;
    Ok(answer.first_seq)
}

fn end(claim: Claim, outcome: writer::Outcome) -> writer::Outcome {
    match &outcome {
        Ok(_) => claim.recorded(),
        // It may have been recorded all the same.
        Err(WriteError::Stopped) => drop(claim),
        Err(
            WriteError::Refused(_)
            | WriteError::ClockDoubted(_)
            | WriteError::Busy
            | WriteError::Past
            | WriteError::NotStored(_),
        ) => claim.refused(),
    }
    outcome
}

fn refused(refusal: Refusal, language: Language) -> Problem {
    let status = match refusal {
        Refusal::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Refusal::NotTaken(_) | Refusal::Macros => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Refusal::Empty
        | Refusal::Damaged(_)
        | Refusal::Points { .. }
        | Refusal::Unpacks
        | Refusal::NotClean => StatusCode::UNPROCESSABLE_ENTITY,
        Refusal::Quota { .. } | Refusal::NoRoom => StatusCode::INSUFFICIENT_STORAGE,
        Refusal::NotScanned => StatusCode::SERVICE_UNAVAILABLE,
    };
    Problem::in_words(status, refusal.code(), language, |of| refusal.words(of))
}
