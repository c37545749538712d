//! Where commands of an import go: a store opened for it alone, or a running server.

use std::sync::Arc;
use std::time::Duration;

use domain::command::Command;
use domain::rejection::Language;
use serde::Deserialize;
use uuid::Uuid;

use super::{ImportError, Target};
use crate::store::Store;
use crate::writer::{self, Envelope, WriteError, Writer};

/// Attempts for a batch while the server is busy, with a second between them.
const ATTEMPTS_MAX: u32 = 30;
/// Longest wait for one answer.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Actor of cases taken from a file into a store.
const ACTOR: &str = "import";

/// What became of one command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    Taken,
    Unchanged,
    Refused { field: String, code: String, reason: String },
}

pub enum Sink {
    Store(Writer),
    Server { agent: ureq::Agent, base: String, token: String },
}

impl Sink {
    pub fn open(target: &Target<'_>) -> Result<Self, ImportError> {
        match target {
            Target::Store { dir, policy } => {
                let (store, state) = Store::open(dir, policy)?;
                Ok(Self::Store(writer::spawn(store, state, Arc::new((*policy).clone()), Box::new(()))))
            }
            Target::Server { url, token } => {
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
                Ok(Self::Server { agent: config.into(), base, token: (*token).to_owned() })
            }
        }
    }

    /// Sends commands and answers for each, in order.
    pub fn send(&mut self, commands: Vec<(Uuid, Command)>) -> Result<Vec<Answered>, ImportError> {
        if commands.is_empty() {
            return Ok(Vec::new());
        }
        match self {
            Self::Store(writer) => to_store(writer, commands),
            Self::Server { agent, base, token } => to_server(agent, base, token, &commands),
        }
    }

    /// Ends cleanly; a store is left with a snapshot.
    pub fn close(self) {
        match self {
            Self::Store(writer) => writer.stop(),
            Self::Server { .. } => {}
        }
    }
}

fn refused(field: &str, code: &str, reason: String) -> Answered {
    let reason = if code == "key_reused" {
        "was imported before with other values or through another mapping; nothing was changed".to_owned()
    } else {
        reason
    };
    Answered::Refused { field: field.to_owned(), code: code.to_owned(), reason }
}

fn to_store(writer: &Writer, commands: Vec<(Uuid, Command)>) -> Result<Vec<Answered>, ImportError> {
    let envelopes: Vec<Envelope> = commands
        .into_iter()
        .map(|(key, command)| Envelope { key, actor: ACTOR.to_owned(), command })
        .collect();
    let mut answered = Vec::with_capacity(envelopes.len());
    for outcome in writer.send_many_blocking(envelopes) {
        answered.push(match outcome {
            Ok(answer) if answer.replayed => Answered::Unchanged,
            Ok(_) => Answered::Taken,
            Err(WriteError::Refused(rejection)) => {
                refused(rejection.field().unwrap_or(""), rejection.code(), rejection.words(Language::En))
            }
            Err(error @ (WriteError::Busy | WriteError::Stopped | WriteError::NotStored(_))) => {
                refused("", "not_stored", error.to_string())
            }
        });
    }
    Ok(answered)
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

fn to_server(
    agent: &ureq::Agent,
    base: &str,
    token: &str,
    commands: &[(Uuid, Command)],
) -> Result<Vec<Answered>, ImportError> {
    let mut answered: Vec<Option<Answered>> = vec![None; commands.len()];
    for attempt in 1..=ATTEMPTS_MAX {
        let open: Vec<usize> = (0..commands.len()).filter(|index| answered[*index].is_none()).collect();
        if open.is_empty() {
            break;
        }
        let rows = open.iter().map(|index| {
            let (key, command) = &commands[*index];
            serde_json::json!({ "key": key, "command": command })
        });
        let body = serde_json::json!({ "commands": rows.collect::<Vec<_>>() });
        let results = post(agent, base, token, &body, open.len())?;
        let last = attempt == ATTEMPTS_MAX;
        for (index, result) in open.into_iter().zip(results.into_iter().flatten()) {
            answered[index] = match result {
                RowAnswer::Taken { replayed: true } => Some(Answered::Unchanged),
                RowAnswer::Taken { replayed: false } => Some(Answered::Taken),
                // The log was busy or the server is stopping; the same key makes sending again safe.
                RowAnswer::Refused(problem) if problem.status == 503 && !last => None,
                RowAnswer::Refused(problem) => {
                    Some(refused(problem.field.as_deref().unwrap_or(""), &problem.code, problem.title))
                }
            };
        }
        if answered.iter().any(Option::is_none) && !last {
            std::thread::sleep(Duration::from_secs(1));
        }
    }
    let busy =
        || refused("", "busy", format!("the server was busy {ATTEMPTS_MAX} times; import the file again"));
    Ok(answered.into_iter().map(|answer| answer.unwrap_or_else(busy)).collect())
}

/// One request. None when the server as a whole is busy.
fn post(
    agent: &ureq::Agent,
    base: &str,
    token: &str,
    body: &serde_json::Value,
    expected: usize,
) -> Result<Option<Vec<RowAnswer>>, ImportError> {
    let wrong = |problem: String| ImportError::Server { url: base.to_owned(), problem };
    let mut response = agent
        .post(format!("{base}/api/v1/commands"))
        .header("Authorization", format!("Bearer {token}"))
        .header("Accept-Language", "en")
        .send_json(body)
        .map_err(|error| wrong(error.to_string()))?;
    let status = response.status().as_u16();
    if status == 503 {
        return Ok(None);
    }
    let text = response.body_mut().read_to_string().map_err(|error| wrong(error.to_string()))?;
    if status != 200 {
        let said = serde_json::from_str::<Problem>(&text).map(|problem| problem.title);
        let said = said.unwrap_or_else(|_| text.chars().take(200).collect());
        let hint = match status {
            401 => "; give a machine's token with --token-file or GRIDHALL_TOKEN",
            403 => "; the token needs a role that may take over cases and define codes",
            _ => "",
        };
        return Err(wrong(format!("answered {status}: {said}{hint}")));
    }
    let answer: BatchAnswer = serde_json::from_str(&text)
        .map_err(|error| wrong(format!("answered what is not a batch: {error}")))?;
    if answer.results.len() == expected {
        Ok(Some(answer.results))
    } else {
        Err(wrong(format!("answered {} of {expected} rows", answer.results.len())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_the_address_is_refused_and_not_repeated() {
        for url in
            ["http://user:hush@127.0.0.1:1", "http://user:hu@sh@127.0.0.1:1", "user:hush@not an address"]
        {
            let error = Sink::open(&Target::Server { url, token: "t" }).err().unwrap();
            let said = format!("{error:?} {error}");
            assert!(!said.contains("hu") && !said.contains("user"), "{said}");
            assert!(said.contains("must not hold a name or password"), "{said}");
        }
    }
}
