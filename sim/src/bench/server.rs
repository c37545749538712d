//! The server that is measured: a process of its own with an empty data folder and the demonstration's policy.
//!
//! What should be here: starting, killing, restarting, what the kernel says about it. What should not: requests
//! (`door`), what is measured.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::Value;

use super::used::processor_seconds;

/// Streets and communities, which the simulated city reports from. Measurements run in the repository's folder.
const CONFIG: &str = "demo/config.toml";
/// A start takes seconds; one that does not is measured all the same, and not cut off.
const START_WITHIN: Duration = Duration::from_secs(1_200);

/// A `gridhall` of its own, ended with this value.
pub struct Server {
    child: Child,
    /// Its own files, which go with it.
    pub dir: PathBuf,
    /// Its store.
    data: PathBuf,
    environment: Vec<(String, String)>,
    pub authority: String,
    /// Session cookie of the administrator.
    pub cookie: String,
}

impl Server {
    /// Starts the binary named by `GRIDHALL_BIN` on an empty store with further settings from `environment`.
    pub async fn start(environment: &[(&str, String)]) -> anyhow::Result<Self> {
        let data = folder()?.join("data");
        Self::on(&data, environment).await
    }

    /// The same on a store that stays when the server has gone.
    pub async fn on(data: &Path, environment: &[(&str, String)]) -> anyhow::Result<Self> {
        let (dir, data) = (folder()?, data.to_owned());
        let environment: Vec<(String, String)> =
            environment.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let child = spawn(&dir, &data, &environment, "127.0.0.1:0")?;
        let mut server =
            Self { child, dir, data, environment, authority: String::new(), cookie: String::new() };
        server.get_ready().await?;
        Ok(server)
    }

    /// Takes it away as a power cut does.
    pub fn kill(&mut self) {
        // It may have ended already; waiting says so.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Brings it back on the same address and store; returns when it began to accept connections.
    pub async fn restart(&mut self) -> anyhow::Result<Instant> {
        let _ = std::fs::remove_file(self.dir.join("ready.json"));
        self.child = spawn(&self.dir, &self.data, &self.environment, &self.authority)?;
        let started = Instant::now();
        let listened = loop {
            if tokio::net::TcpStream::connect(&self.authority).await.is_ok() {
                break Instant::now();
            }
            if started.elapsed() > START_WITHIN || self.child.try_wait()?.is_some() {
                bail!("the server did not come back");
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        };
        self.get_ready().await?;
        Ok(listened)
    }

    async fn get_ready(&mut self) -> anyhow::Result<()> {
        let ready = self.dir.join("ready.json");
        let started = Instant::now();
        let said: Value = loop {
            if let Ok(text) = std::fs::read_to_string(&ready) {
                break serde_json::from_str(&text).context("the server's ready file is not JSON")?;
            }
            if started.elapsed() > START_WITHIN || self.child.try_wait()?.is_some() {
                bail!("the server to measure did not get ready");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        let address = said["address"].as_str().context("no address in the ready file")?;
        self.authority = address.trim_start_matches("http://").to_owned();
        let link = said["sign_in"].as_str().context("no link in the ready file")?.to_owned();
        self.cookie = tokio::task::spawn_blocking(move || sign_in(&link)).await??;
        Ok(())
    }

    /// The secret of a new machine token.
    pub fn machine_token(&self) -> anyhow::Result<String> {
        self.token("bench", &["--role", "machine", "--may", "all"])
    }

    /// A token with a name, made as an operator makes one.
    pub fn token(&self, name: &str, what: &[&str]) -> anyhow::Result<String> {
        let mut command = command(&self.data)?;
        let made = command.args(["token", "add", name]).args(what).arg("--replace").output();
        let made = made.context("cannot make a token")?;
        if !made.status.success() {
            bail!("cannot make a token: {}", String::from_utf8_lossy(&made.stderr));
        }
        Ok(String::from_utf8_lossy(&made.stdout).trim().to_owned())
    }

    /// Processor seconds the server has used, and its resident bytes.
    pub fn usage(&self) -> anyhow::Result<(f64, f64)> {
        let process = self.child.id().to_string();
        let pages = std::fs::read_to_string(format!("/proc/{process}/statm"))?;
        let pages = pages.split(' ').nth(1).and_then(|pages| pages.parse::<f64>().ok());
        // Pages are 4 KiB on every Linux this is measured on.
        let resident = pages.context("short /proc statm")? * 4_096.0;
        Ok((processor_seconds(&process)?, resident))
    }

    /// Backups of its store, each into a folder of its own.
    pub fn backup(&self) -> anyhow::Result<Backup> {
        let folder = self.dir.join("backups");
        let mut command = self.command("backup")?;
        command.arg(&folder);
        Ok(Backup { command, folder })
    }

    /// A command of an operator about its store; what it says is not shown unless it is an error.
    pub fn command(&self, word: &str) -> anyhow::Result<Command> {
        let mut command = command(&self.data)?;
        command.arg(word).env("GRIDHALL_LOG", "error").stdout(Stdio::null());
        Ok(command)
    }

    /// Bytes the kernel holds for each client on this machine that has not taken them, by the client's port.
    pub fn unsent(&self) -> anyhow::Result<Vec<(u16, u64)>> {
        let port: u16 = self.authority.rsplit(':').next().unwrap_or_default().parse()?;
        let table = std::fs::read_to_string("/proc/net/tcp").context("cannot read /proc/net/tcp")?;
        let row = |line: &str| -> Option<(u16, u64)> {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let port_of = |at: usize| {
                fields.get(at).and_then(|address| u16::from_str_radix(address.rsplit(':').next()?, 16).ok())
            };
            let waiting = u64::from_str_radix(fields.get(4)?.split(':').next()?, 16).ok()?;
            (port_of(1)? == port).then_some((port_of(2)?, waiting))
        };
        Ok(table.lines().skip(1).filter_map(row).collect())
    }
}

/// The command an operator gives for a backup.
pub struct Backup {
    command: Command,
    folder: PathBuf,
}

impl Backup {
    pub fn start(&mut self) -> anyhow::Result<Child> {
        self.command.spawn().context("cannot start a backup")
    }

    /// Makes room for the next one.
    pub fn forget(&self) -> anyhow::Result<()> {
        match std::fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        // May have gone already.
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// A folder of this measurement's own.
fn folder() -> anyhow::Result<PathBuf> {
    let dir = std::env::temp_dir().join(format!("gridhall-bench-{}", std::process::id()));
    std::fs::create_dir_all(&dir).with_context(|| format!("cannot make `{}`", dir.display()))?;
    Ok(dir)
}

fn command(data: &Path) -> anyhow::Result<Command> {
    let binary =
        std::env::var_os("GRIDHALL_BIN").context("GRIDHALL_BIN does not name the server to measure")?;
    anyhow::ensure!(Path::new(CONFIG).exists(), "`{CONFIG}` is not here; run in the repository's folder");
    let mut command = Command::new(binary);
    command.args(["--config", CONFIG]).arg("--data-dir").arg(data);
    Ok(command)
}

fn spawn(dir: &Path, data: &Path, environment: &[(String, String)], listen: &str) -> anyhow::Result<Child> {
    let mut command = command(data)?;
    command.arg("serve").arg("--ready-file").arg(dir.join("ready.json"));
    command.env("GRIDHALL__SERVER__LISTEN", listen).env("GRIDHALL_LOG", "warn");
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    command.stdout(Stdio::null()).spawn().context("cannot start the server to measure")
}

fn sign_in(link: &str) -> anyhow::Result<String> {
    let agent: ureq::Agent = ureq::Agent::config_builder().max_redirects(0).build().into();
    let answer = agent.get(link).call().context("cannot sign in")?;
    let cookie = answer.headers().get("set-cookie").context("signing in set no cookie")?.to_str()?;
    Ok(cookie.split(';').next().unwrap_or_default().to_owned())
}
