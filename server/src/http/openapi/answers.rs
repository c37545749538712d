//! What every operation may answer beside its own: the refusals of the door and of the layers around the routes. They
//! are described in one place because they are made in one place, and all in one form.

use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::response::Response;
use utoipa::openapi::{Content, OpenApi, Ref, RefOr};

/// What all errors are.
const PROBLEM: &str = "application/problem+json";

/// Adds the answers each operation shares with others of its kind.
pub fn complete(api: &mut OpenApi) {
    for item in api.paths.paths.values_mut() {
        operations(item).for_each(complete_one);
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch].into_iter().flatten()
}

fn complete_one(operation: &mut Operation) {
    // Routes before the door state that they need no proof.
    let is_open = operation.security.is_some();
    let takes_parameters = operation.parameters.as_ref().is_some_and(|parameters| !parameters.is_empty());
    let body = match &operation.request_body {
        Some(RefOr::T(body)) => Some(body.content.len()),
        Some(RefOr::Ref(_)) | None => None,
    };
    let answers = &mut operation.responses.responses;
    let mut may = |status: &str, words: &str| {
        answers.entry(status.to_owned()).or_insert_with(|| RefOr::T(Response::new(words)));
    };
    if !is_open {
        may("401", "not signed in, or no valid token");
        may("403", "not for this caller, or a browser was led here by another site");
    }
    if takes_parameters || body.is_some() {
        may("400", "a field is missing, unknown or malformed; `field` names it");
    }
    if let Some(kinds) = body {
        may("408", "the body did not arrive in time");
        may("413", "the body is too large");
        may("503", "too many large bodies at once, or the server is stopping; see `Retry-After`");
        // Where several forms are taken, the form is known by its content.
        if kinds == 1 {
            may("415", "the body is not JSON in UTF-8");
        }
    }
    may("500", "a fault of the server; its log has the cause");
    for (status, answer) in answers {
        if let RefOr::T(answer) = answer
            && status.as_str() >= "400"
        {
            let problem = Content::new(Some(Ref::from_schema_name("Problem")));
            answer.content.clear();
            answer.content.insert(PROBLEM.to_owned(), RefOr::T(problem));
        }
    }
}
