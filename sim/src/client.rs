//! The simulated city's way in: the same public HTTP doors that any other system uses.

use std::net::TcpStream;
use std::time::Duration;

use anyhow::Context;
use domain::command::Command;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, WebSocket};
use uuid::Uuid;

/// A server as seen by a client with a machine token.
#[derive(Clone)]
pub struct Client {
    agent: ureq::Agent,
    base: String,
    bearer: String,
}

/// One command with its key, kept together so that a repeat is the same command.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    pub key: Uuid,
    pub command: Command,
}

impl Row {
    #[must_use]
    pub fn new(command: Command) -> Self {
        Self { key: Uuid::now_v7(), command }
    }
}

/// The parts of an answer the city needs.
#[derive(Debug, Clone, Deserialize)]
pub struct Taken {
    #[serde(default)]
    pub case: Option<domain::code::CaseId>,
    #[serde(default)]
    pub whistle: Option<domain::code::WhistleId>,
}

/// Why a row was refused.
#[derive(Debug, Clone, Deserialize)]
pub struct Refused {
    pub status: u16,
    pub code: String,
    pub title: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowAnswer {
    Taken(Taken),
    Refused(Refused),
}

#[derive(Deserialize)]
struct BatchAnswer {
    results: Vec<RowAnswer>,
}

/// Rows in one request, the server's limit.
pub const BATCH_MAX: usize = 1_000;

impl Client {
    /// `base` such as `http://127.0.0.1:8700`.
    #[must_use]
    pub fn new(base: &str, token: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(60)))
            .http_status_as_error(false)
            .build();
        Self {
            agent: config.into(),
            base: base.trim_end_matches('/').to_owned(),
            bearer: format!("Bearer {token}"),
        }
    }

    /// Sends up to [`BATCH_MAX`] commands and returns as many answers in the same order.
    pub fn commands(&self, rows: &[Row]) -> anyhow::Result<Vec<RowAnswer>> {
        let answer: BatchAnswer = self.post("/api/v1/commands", &serde_json::json!({ "commands": rows }))?;
        anyhow::ensure!(
            answer.results.len() == rows.len(),
            "{} commands were sent and {} answered",
            rows.len(),
            answer.results.len()
        );
        Ok(answer.results)
    }

    /// Posts JSON and reads JSON.
    pub fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> anyhow::Result<T> {
        let url = format!("{}{path}", self.base);
        let request = self.agent.post(&url).header("Authorization", &self.bearer);
        let answer = request.send_json(body).with_context(|| format!("cannot post to {path}"))?;
        read(answer, path)
    }

    /// Reads JSON.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let url = format!("{}{path}", self.base);
        let request = self.agent.get(&url).header("Authorization", &self.bearer);
        let answer = request.call().with_context(|| format!("cannot get {path}"))?;
        read(answer, path)
    }

    /// A socket of the live feed on which nothing has been said yet. Of plain HTTP only, as everything here.
    pub fn feed(&self) -> anyhow::Result<WebSocket<TcpStream>> {
        let authority = self.base.strip_prefix("http://");
        let authority = authority.context("the live feed is dialled over plain http alone")?;
        let stream = TcpStream::connect(authority).context("cannot connect to the live feed")?;
        // A heartbeat comes each second: after this silence nobody is there.
        stream.set_read_timeout(Some(Duration::from_secs(5))).context("cannot set up the socket")?;
        stream.set_write_timeout(Some(Duration::from_secs(5))).context("cannot set up the socket")?;
        let mut request = format!("ws://{authority}/live").into_client_request()?;
        request.headers_mut().insert("authorization", self.bearer.parse()?);
        let (socket, _) = tungstenite::client(request, stream).context("the live feed lets nobody in")?;
        Ok(socket)
    }

    /// One fix in the form that OsmAnd and Traccar's phone app send. Returns the HTTP status.
    pub fn osmand(&self, query: &[(&str, String)]) -> anyhow::Result<u16> {
        let url = format!("{}/osmand", self.base);
        let pairs = query.iter().map(|(name, value)| (*name, value.as_str()));
        let answer =
            self.agent.get(&url).query_pairs(pairs).call().context("cannot reach the osmand door")?;
        Ok(answer.status().as_u16())
    }
}

fn read<T: DeserializeOwned>(mut answer: ureq::http::Response<ureq::Body>, path: &str) -> anyhow::Result<T> {
    let status = answer.status();
    let text =
        answer.body_mut().with_config().limit(64 << 20).read_to_string().context("cannot read the answer")?;
    anyhow::ensure!(status.is_success(), "{path} answered {status}: {}", text.get(..400).unwrap_or(&text));
    serde_json::from_str(&text).with_context(|| format!("{path} answered something unexpected"))
}
