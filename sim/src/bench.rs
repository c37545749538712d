//! Measurements that need load: a server of its own, the simulated city around it, and rows of numbers.
//!
//! What should be here: what every measurement shares. What should not: showing and comparing rows (`cargo xtask bench`).

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde::Serialize;
use serde_json::Value;

pub mod live;
pub mod video;

/// One measured number and what it should be.
#[derive(Debug, Serialize)]
pub struct Row {
    pub measure: String,
    pub value: f64,
    pub unit: &'static str,
    pub target: Option<String>,
    pub holds: Option<bool>,
}

impl Row {
    #[must_use]
    pub fn at_most(measure: impl Into<String>, value: f64, unit: &'static str, most: f64) -> Self {
        Self {
            measure: measure.into(),
            value,
            unit,
            target: Some(format!("≤ {most}")),
            holds: Some(value <= most),
        }
    }

    #[must_use]
    pub fn at_least(measure: impl Into<String>, value: f64, unit: &'static str, least: f64) -> Self {
        Self {
            measure: measure.into(),
            value,
            unit,
            target: Some(format!("≥ {least}")),
            holds: Some(value >= least),
        }
    }

    #[must_use]
    pub fn plain(measure: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { measure: measure.into(), value, unit, target: None, holds: None }
    }
}

/// A `gridhall` of its own in an empty folder, ended with this value.
pub struct Server {
    child: Child,
    dir: PathBuf,
    pub authority: String,
    /// Session cookie of the administrator.
    pub cookie: String,
}

impl Server {
    /// Starts the binary named by `GRIDHALL_BIN` with further settings from `environment`.
    pub async fn start(environment: &[(&str, String)]) -> anyhow::Result<Self> {
        let binary =
            std::env::var_os("GRIDHALL_BIN").context("GRIDHALL_BIN does not name the server to measure")?;
        let dir = std::env::temp_dir().join(format!("gridhall-bench-{}", std::process::id()));
        std::fs::create_dir_all(&dir).with_context(|| format!("cannot make `{}`", dir.display()))?;
        let ready = dir.join("ready.json");
        let mut command = Command::new(&binary);
        command.arg("--data-dir").arg(dir.join("data")).arg("serve").arg("--ready-file").arg(&ready);
        command.env("GRIDHALL__SERVER__LISTEN", "127.0.0.1:0").env("GRIDHALL_LOG", "warn");
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        let child = command.stdout(Stdio::null()).spawn().context("cannot start the server to measure")?;
        let mut server = Self { child, dir, authority: String::new(), cookie: String::new() };
        let started = Instant::now();
        let said: Value = loop {
            if let Ok(text) = std::fs::read_to_string(&ready) {
                break serde_json::from_str(&text).context("the server's ready file is not JSON")?;
            }
            if started.elapsed() > Duration::from_secs(20) || server.child.try_wait()?.is_some() {
                bail!("the server to measure did not get ready");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        let address = said["address"].as_str().context("no address in the ready file")?;
        server.authority = address.trim_start_matches("http://").to_owned();
        let link = said["sign_in"].as_str().context("no link in the ready file")?.to_owned();
        server.cookie = tokio::task::spawn_blocking(move || sign_in(&link)).await??;
        Ok(server)
    }

    /// Processor seconds the server has used, and its resident bytes.
    pub fn usage(&self) -> anyhow::Result<(f64, f64)> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
        let field =
            |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok()).context("short /proc stat");
        // Clock ticks are 1/100 s and pages 4 KiB on every Linux this is measured on.
        Ok(((field(11)? + field(12)?) / 100.0, field(21)? * 4_096.0))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both may have ended or gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

fn sign_in(link: &str) -> anyhow::Result<String> {
    let agent: ureq::Agent = ureq::Agent::config_builder().max_redirects(0).build().into();
    let answer = agent.get(link).call().context("cannot sign in")?;
    let cookie = answer.headers().get("set-cookie").context("signing in set no cookie")?.to_str()?;
    Ok(cookie.split(';').next().unwrap_or_default().to_owned())
}

/// The value below which `share` (0…1) of `values` lie.
#[must_use]
pub fn percentile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    let at = (last as f64 * share).round() as usize;
    values.get(at).copied().unwrap_or(f64::NAN)
}
