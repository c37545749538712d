//! Rows sent to a running server through `POST /api/v1/commands`.
//!
//! Every row has its own idempotency key, so that anything may be sent again: when the server was busy, was restarted,
//! or answered and the answer was lost.

use std::time::Duration;

use domain::command::Command;
use serde::Deserialize;
use uuid::Uuid;

use super::ImportError;
use super::sink::{Answered, refused};

/// Attempts for a batch while the server is busy or being restarted, with a second between them.
const ATTEMPTS_MAX: u32 = 30;
const PAUSE: Duration = Duration::from_secs(1);
/// Bytes of rows in one request. A single longer row goes alone, and what the server says to it is the row's answer.
const REQUEST_BYTES_MAX: usize = 3 << 20;
/// Longest wait for one answer.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A running server as an import meets it.
pub struct Remote {
    agent: ureq::Agent,
    base: String,
    token: String,
    /// Whether it has ever answered: one that has is waited for when it is gone.
    met: bool,
}

/// Why a request brought no answers.
enum Failed {
    /// The server as a whole is busy.
    Busy,
    Unreachable(String),
    /// The body is larger than the server reads.
    TooLarge(String),
    /// Trying again would bring the same.
    Wrong(String),
}

/// A batch's answer as `POST /api/v1/commands` gives it.
#[derive(Deserialize)]
struct BatchAnswer {
    results: Vec<RowAnswer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum RowAnswer {
    Taken { replayed: bool },
    Refused(Problem),
}

#[derive(Deserialize)]
struct Problem {
    #[serde(default)]
    status: u16,
    code: String,
    title: String,
    #[serde(default)]
    field: Option<String>,
}

impl Remote {
    pub fn new(url: &str, token: &str) -> Result<Self, ImportError> {
        // Not repeated: it would stand in logs and on screens.
        if let Some((_, rest)) = url.rsplit_once('@') {
            let problem = "the address must not hold a name or password; the token says who sends";
            return Err(ImportError::Server { url: rest.to_owned(), problem: problem.to_owned() });
        }
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
            .max_redirects(0)
            .build();
        let base = url.trim_end_matches('/').to_owned();
        Ok(Self { agent: config.into(), base, token: token.to_owned(), met: false })
    }

    /// What the keys of rows are made with, asked of the server until it answers.
    pub fn namespace(&mut self) -> Result<Uuid, ImportError> {
        let mut last = String::new();
        for attempt in 1..=ATTEMPTS_MAX {
            if attempt > 1 {
                std::thread::sleep(PAUSE);
            }
            match self.get_namespace() {
                Ok(namespace) => return Ok(namespace),
                Err(Failed::Busy) => last = "is busy".to_owned(),
                Err(Failed::Unreachable(words)) if self.met => last = words,
                Err(Failed::Unreachable(words) | Failed::TooLarge(words) | Failed::Wrong(words)) => {
                    return Err(self.failed(words));
                }
            }
        }
        Err(self.failed(last))
    }

    fn get_namespace(&mut self) -> Result<Uuid, Failed> {
        let unreachable = |error: ureq::Error| Failed::Unreachable(error.to_string());
        let mut response = self
            .agent
            .get(format!("{}/api/v1/import/namespace", self.base))
            .header("Authorization", format!("Bearer {}", self.token))
            .header("Accept-Language", "en")
            .call()
            .map_err(unreachable)?;
        let status = response.status().as_u16();
        self.met = true;
        let text = response.body_mut().read_to_string().map_err(unreachable)?;
        refusal(status, &text)?;
        let answer: domain::answer::ImportNamespace = serde_json::from_str(&text)
            .map_err(|error| Failed::Wrong(format!("answered what is no namespace: {error}")))?;
        answer.namespace.parse().map_err(|_| Failed::Wrong("answered what is no namespace".to_owned()))
    }

    /// Sends rows and answers for each, in order.
    pub fn send(&mut self, commands: &[(Uuid, Command)]) -> Result<Vec<Answered>, ImportError> {
        let row = |(key, command): &(Uuid, Command)| {
            serde_json::json!({ "key": key, "command": command }).to_string()
        };
        let rows: Vec<String> = commands.iter().map(row).collect();
        let mut answered: Vec<Option<Answered>> = vec![None; rows.len()];
        for attempt in 1..=ATTEMPTS_MAX {
            let open: Vec<usize> = (0..rows.len()).filter(|index| answered[*index].is_none()).collect();
            if open.is_empty() {
                break;
            }
            if attempt > 1 {
                std::thread::sleep(PAUSE);
            }
            self.round(&rows, &open, &mut answered, attempt == ATTEMPTS_MAX)?;
        }
        let busy = || {
            refused("", "busy", format!("the server was busy {ATTEMPTS_MAX} times; import the file again"))
        };
        Ok(answered.into_iter().map(|answer| answer.unwrap_or_else(busy)).collect())
    }

    /// Sends every row that is still open once.
    fn round(
        &mut self,
        rows: &[String],
        open: &[usize],
        answered: &mut [Option<Answered>],
        last: bool,
    ) -> Result<(), ImportError> {
        for part in parts(rows, open) {
            match self.post(part.iter().map(|index| rows[*index].as_str())) {
                Ok(results) if results.len() == part.len() => {
                    for (index, result) in part.iter().zip(results) {
                        answered[*index] = answer(result, last);
                    }
                }
                Ok(results) => {
                    return Err(self.failed(format!("answered {} of {} rows", results.len(), part.len())));
                }
                Err(Failed::TooLarge(words)) if part.len() == 1 => {
                    answered[part[0]] = Some(refused("", "body", words));
                }
                Err(Failed::Unreachable(_)) if self.met && !last => return Ok(()),
                Err(Failed::Busy) => return Ok(()),
                Err(Failed::Unreachable(words) | Failed::TooLarge(words) | Failed::Wrong(words)) => {
                    return Err(self.failed(words));
                }
            }
        }
        Ok(())
    }

    fn failed(&self, problem: String) -> ImportError {
        ImportError::Server { url: self.base.clone(), problem }
    }

    fn post<'a>(&mut self, rows: impl Iterator<Item = &'a str>) -> Result<Vec<RowAnswer>, Failed> {
        let body = format!("{{\"commands\":[{}]}}", rows.collect::<Vec<_>>().join(","));
        let unreachable = |error: ureq::Error| Failed::Unreachable(error.to_string());
        let mut response = self
            .agent
            .post(format!("{}/api/v1/commands", self.base))
            .header("Authorization", format!("Bearer {}", self.token))
            .header("Accept-Language", "en")
            .header("Content-Type", "application/json")
            .send(body.as_str())
            .map_err(unreachable)?;
        let status = response.status().as_u16();
        self.met = true;
        let text = response.body_mut().read_to_string().map_err(unreachable)?;
        refusal(status, &text)?;
        let answer: BatchAnswer = serde_json::from_str(&text)
            .map_err(|error| Failed::Wrong(format!("answered what is not a batch: {error}")))?;
        Ok(answer.results)
    }
}

/// What an answer that is none says.
fn refusal(status: u16, text: &str) -> Result<(), Failed> {
    let said = || {
        let said = serde_json::from_str::<Problem>(text).map(|problem| problem.title);
        said.unwrap_or_else(|_| text.chars().take(200).collect())
    };
    let hint = match status {
        200 => return Ok(()),
        503 => return Err(Failed::Busy),
        413 => return Err(Failed::TooLarge(format!("answered 413: {}", said()))),
        401 => "; give a machine's token with --token-file or GRIDHALL_TOKEN",
        403 => "; the token needs a role that may take over cases and define codes",
        _ => "",
    };
    Err(Failed::Wrong(format!("answered {status}: {}{hint}", said())))
}

/// None when the row is to be sent again.
fn answer(result: RowAnswer, last: bool) -> Option<Answered> {
    match result {
        RowAnswer::Taken { replayed: true } => Some(Answered::Unchanged),
        RowAnswer::Taken { replayed: false } => Some(Answered::Taken),
        // The log was busy or the server is stopping.
        RowAnswer::Refused(problem) if problem.status == 503 && !last => None,
        RowAnswer::Refused(problem) => {
            Some(refused(problem.field.as_deref().unwrap_or(""), &problem.code, problem.title))
        }
    }
}

/// The open rows in requests that are not too long.
fn parts(rows: &[String], open: &[usize]) -> Vec<Vec<usize>> {
    let mut parts: Vec<Vec<usize>> = Vec::new();
    let mut bytes = 0;
    for &index in open {
        let long = rows[index].len() + 1;
        match parts.last_mut() {
            Some(part) if bytes + long <= REQUEST_BYTES_MAX => part.push(index),
            Some(_) | None => {
                parts.push(vec![index]);
                bytes = 0;
            }
        }
        bytes += long;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_the_address_is_refused_and_not_repeated() {
        for url in
            ["http://user:hush@127.0.0.1:1", "http://user:hu@sh@127.0.0.1:1", "user:hush@not an address"]
        {
            let error = Remote::new(url, "t").err().unwrap();
            let said = format!("{error:?} {error}");
            assert!(!said.contains("hu") && !said.contains("user"), "{said}");
            assert!(said.contains("must not hold a name or password"), "{said}");
        }
    }

    #[test]
    fn requests_stay_below_the_limit_and_hold_every_row_once() {
        let rows: Vec<String> =
            [1 << 20, 1 << 20, 1 << 20, 5 << 20, 10, 10].map(|long| "x".repeat(long)).into();
        let open = [0, 1, 2, 3, 4, 5];
        assert_eq!(parts(&rows, &open), [vec![0, 1], vec![2], vec![3], vec![4, 5]]);
        assert_eq!(parts(&rows, &[4]), [vec![4]]);
        assert!(parts(&rows, &[]).is_empty());
    }
}
