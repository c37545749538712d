//! Errors as `application/problem+json` (RFC 9457): the only file that turns refusals into status codes.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::catalogue::Name;
use domain::rejection::{Language, Rejection};
use serde::Serialize;

use crate::cause::chain;

/// One error for the caller. What the log needs beyond it is logged where it arises.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// HTTP status.
    pub status: u16,
    /// Stable name, for programs.
    pub code: String,
    /// One sentence, for people, in the language that was asked for.
    pub title: String,
    /// The same in both languages, where a rule refuses: a screen goes on showing it when its language is changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub said: Option<Box<Name>>,
    /// The field at fault, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Seconds after which trying again makes sense.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
}

impl Problem {
    #[must_use]
    pub fn new(status: StatusCode, code: &str, title: impl Into<String>) -> Self {
        Self {
            status: status.as_u16(),
            code: code.to_owned(),
            title: title.into(),
            said: None,
            field: None,
            retry_after: None,
        }
    }

    #[must_use]
    pub fn bad_request(field: &str, title: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", title).at(field)
    }

    #[must_use]
    pub fn not_found(what: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", what)
    }

    /// For faults of ours: the cause goes to the log, not to the caller.
    #[must_use]
    pub fn internal(doing: &str, error: &dyn std::error::Error) -> Self {
        tracing::error!(error = chain(error), "{doing}");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", format!("{doing}; see the server's log"))
    }

    #[must_use]
    pub fn busy(title: impl Into<String>, retry_after: u32) -> Self {
        Self { retry_after: Some(retry_after), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", title) }
    }

    #[must_use]
    pub fn refused(rejection: &Rejection, language: Language) -> Self {
        let status = match rejection {
            Rejection::NotAllowed { .. }
            | Rejection::OtherDepartment { .. }
            | Rejection::NoDepartment
            | Rejection::OutOfScope { .. }
            | Rejection::OwnDispatch { .. }
            | Rejection::PowersApart => StatusCode::FORBIDDEN,
            Rejection::UnknownCase { .. } | Rejection::UnknownWhistle { .. } => StatusCode::NOT_FOUND,
            Rejection::WrongStage { .. }
            | Rejection::NotesFull { .. }
            | Rejection::TakenOften { .. }
            | Rejection::FilesFull { .. }
            | Rejection::Unfit { .. }
            | Rejection::KeyReused
            | Rejection::ClockOff
            | Rejection::MovedOn(_)
            | Rejection::AdoptedSince(_)
            | Rejection::NotCalled { .. }
            | Rejection::AlreadyResponded { .. } => StatusCode::CONFLICT,
            Rejection::UnknownCode { .. }
            | Rejection::RetiredCode { .. }
            | Rejection::ImpossibleTime { .. }
            | Rejection::OutOfRange { .. }
            | Rejection::PolicyRefused { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let mut problem = Self::in_words(status, rejection.code(), language, |of| rejection.words(of));
        problem.field = rejection.field().map(str::to_owned);
        problem
    }

    /// A refusal by a rule, which has words of both languages.
    #[must_use]
    pub fn in_words(
        status: StatusCode,
        code: &str,
        language: Language,
        words: impl Fn(Language) -> String,
    ) -> Self {
        let said = Name { zh: words(Language::Zh), en: words(Language::En) };
        let title = match language {
            Language::Zh => said.zh.clone(),
            Language::En => said.en.clone(),
        };
        Self { said: Some(Box::new(said)), ..Self::new(status, code, title) }
    }

    /// For an address that only speaks WebSocket: 426 with what is spoken there.
    #[must_use]
    pub fn no_websocket(why: &str) -> Response {
        let title = format!("this address speaks WebSocket, version 13, by GET over HTTP/1.1: {why}");
        let mut answer = Self::new(StatusCode::UPGRADE_REQUIRED, "no_websocket", title).into_response();
        let headers = answer.headers_mut();
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        answer
    }

    #[must_use]
    pub fn at(mut self, field: &str) -> Self {
        self.field = Some(field.to_owned());
        self
    }
}

impl Problem {
    /// A JSON body or row that is not what was expected: the field within it and what is wrong there.
    #[must_use]
    pub fn malformed(code: &str, error: &serde_path_to_error::Error<serde_json::Error>) -> Self {
        let problem = Self::new(StatusCode::BAD_REQUEST, code, error.inner().to_string());
        let path = error.path().to_string();
        // `?` is what cannot be told where the text itself breaks off.
        if path == "." || path == "?" { problem } else { problem.at(&path) }
    }

    /// Puts the name of what holds the field before it.
    #[must_use]
    pub fn within(mut self, holder: &str) -> Self {
        self.field = Some(self.field.map_or_else(|| holder.to_owned(), |field| format!("{holder}.{field}")));
        self
    }

    /// Puts the row of a batch before the field, and counts the problem: it travels within an answer of its own. A batch comes from
    /// a machine, which has no use for a second language.
    #[must_use]
    pub fn in_row(mut self, rows: &str, index: usize) -> Self {
        let field = self.field.as_deref().map_or(String::new(), |field| format!(".{field}"));
        self.field = Some(format!("{rows}[{index}]{field}"));
        self.said = None;
        self.count();
        self
    }

    fn count(&self) {
        metrics::counter!("gridhall_http_problems_total", "code" => self.code.clone()).increment(1);
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        self.count();
        let mut response = (status, axum::Json(&self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// Seconds after which somebody asks again who was refused because of the server's clock: it is believed after minutes, or set
/// right.
const CLOCK_RETRY_S: u32 = 60;

/// What was said would be refused for good, but by a clock that is doubted: whoever said it keeps it and says it again.
#[must_use]
pub fn clock_doubted(title: String) -> Problem {
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "clock_doubted", title);
    Problem { retry_after: Some(CLOCK_RETRY_S), ..problem }
}

/// The language a caller asked for; Chinese first.
#[must_use]
pub fn language(headers: &HeaderMap) -> Language {
    let asked = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or("");
    match asked.trim_start().get(..2) {
        Some("en") => Language::En,
        _ => Language::Zh,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_by_a_rule_is_said_in_both_languages_but_within_a_batch_in_the_one_asked_for() {
        let rejection = Rejection::NoDepartment;
        let problem = Problem::refused(&rejection, Language::En);
        let said = problem.said.clone().expect("a rule has words of both languages");
        assert_eq!(said.zh, rejection.words(Language::Zh));
        assert_eq!((&said.en, &problem.title), (&problem.title, &rejection.words(Language::En)));
        let row = problem.in_row("commands", 3);
        assert_eq!((row.said, row.title), (None, rejection.words(Language::En)));
    }
}
