//! A running server asked by a command line, with a machine's token.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use serde::de::DeserializeOwned;

/// Longest wait for a server's answer.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Which hall is meant.
#[derive(Args)]
pub(super) struct Where {
    /// Running server to ask, with a machine's token that may define; without it the data folder
    #[arg(long, value_name = "URL")]
    pub(super) server: Option<String>,
    /// File with the token; without it the environment variable GRIDHALL_TOKEN is used
    #[arg(long, value_name = "FILE", requires = "server")]
    token_file: Option<PathBuf>,
}

/// A server and what is shown to it.
pub(super) struct Remote<'a> {
    url: &'a str,
    token: String,
    agent: ureq::Agent,
}

impl Where {
    /// The running server, where one is named.
    pub(super) fn remote(&self) -> anyhow::Result<Option<Remote<'_>>> {
        self.server.as_deref().map(|url| Remote::at(url, self.token_file.as_deref())).transpose()
    }
}

impl<'a> Remote<'a> {
    fn at(url: &'a str, token_file: Option<&Path>) -> anyhow::Result<Self> {
        let token = super::token_from(token_file)?;
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(TIMEOUT))
            .build()
            .into();
        Ok(Self { url, token, agent })
    }

    pub(super) fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let request = self.agent.get(self.address(path)).header("Authorization", self.bearer());
        self.answered(request.call())
    }

    pub(super) fn post<T: DeserializeOwned>(&self, path: &str, kind: &str, body: &[u8]) -> anyhow::Result<T> {
        let request = self.agent.post(self.address(path)).header("Authorization", self.bearer());
        self.answered(request.content_type(kind).send(body))
    }

    fn address(&self, path: &str) -> String {
        format!("{}{path}", self.url.trim_end_matches('/'))
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    /// The answer, or the server's own words for a refusal.
    fn answered<T: DeserializeOwned>(
        &self,
        sent: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> anyhow::Result<T> {
        let url = self.url;
        let mut answer = sent.with_context(|| format!("cannot reach `{url}`"))?;
        let status = answer.status();
        let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX);
        let body = body.read_to_string().with_context(|| format!("no whole answer from `{url}`"))?;
        if status.is_success() {
            return serde_json::from_str(&body)
                .with_context(|| format!("`{url}` answered in another way than expected"));
        }
        let title = serde_json::from_str::<serde_json::Value>(&body)
            .ok()
            .and_then(|problem| problem["title"].as_str().map(str::to_owned));
        anyhow::bail!(
            "the server refused ({}): {}",
            status.as_u16(),
            title.unwrap_or_else(|| "without a reason".to_owned())
        )
    }
}

/// Largest answer that is read: a policy with 100,000 codes.
const ANSWER_BYTES_MAX: u64 = 64 << 20;
