//! The settings: one TOML file, overridden by environment variables such as `GRIDHALL__SERVER__LISTEN`.
//! A misspelt key is an error. `docs/config.md` explains each in a full file.

mod map;
mod policy;
mod walls;

pub use map::{Map, ZOOM_MAX};
pub use policy::{PolicyFile, read as read_policy};
pub use walls::WallsFile;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::Context;
use domain::policy::Policy;
use serde::{Deserialize, Serialize};

use crate::installed::Installed;

/// Everything that can be set. Every field has a default, so that no file is needed to look around.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    pub server: Server,
    pub store: Store,
    pub access: crate::access::Config,
    pub policy: PolicyFile,
    pub cameras: Cameras,
    pub map: Map,
    pub walls: WallsFile,
    pub ingest: Ingest,
    pub live: crate::live::Limits,
    pub positions: crate::position::Settings,
    pub files: crate::files::Settings,
    pub video: crate::video::config::Config,
    pub replay: crate::replay::Settings,
    /// The hall is a demonstration. Said where it is started and nowhere else, so that no file makes it one by accident.
    #[serde(skip)]
    pub demonstration: Option<crate::serve::Demonstration>,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// Address to listen on. Only this machine by default.
    pub listen: SocketAddr,
    /// Folder of the built user interface. By default that of the installed package, else where `cargo xtask site` builds.
    pub site: PathBuf,
    /// Origins a browser may come from besides the server's own IP address and `localhost`, such as
    /// `https://hall.example`: every name and every proxy.
    pub origins: Vec<String>,
    /// The cookie is sent over TLS only. Set when a TLS proxy stands in front.
    pub secure_cookies: bool,
    /// Connections open at one time, sockets of screens among them. 16 to 100,000. Default 5,000. Those that have shown
    /// no session or token hold an eighth of it at most for each address, and live a minute at most.
    pub connections_max: u32,
    /// Addresses of proxies in front. Of a request that comes from one, the sender is whom it states in
    /// `X-Forwarded-For`. None by default: then that header is passed over.
    pub proxies: Vec<IpAddr>,
    /// A clock that jumps ahead by more than an hour is believed once it has stood for so many minutes; alarms are held
    /// meanwhile. 0 to 1,440; 0 believes it at once. Default 10.
    pub clock_confirm_minutes: u32,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8700)),
            site: Installed::here().map_or_else(|| PathBuf::from("target/site"), |package| package.site()),
            origins: Vec::new(),
            secure_cookies: false,
            connections_max: 5_000,
            proxies: Vec::new(),
            clock_confirm_minutes: 10,
        }
    }
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Store {
    /// Folder of the event log and the accounts. Relative to the working folder.
    pub dir: PathBuf,
    /// Days for which the idempotency keys of commands are remembered; keys of imported rows are for ever. A phone that
    /// sends again later than this makes a second case.
    pub keys_kept_days: u32,
    /// MiB of the folder's file system that the lists of closed cases leave to the event log. 0 to 1,048,576; 0 leaves
    /// none. Default 256.
    pub reserve_mib: u32,
}

impl Default for Store {
    fn default() -> Self {
        Self { dir: PathBuf::from("data"), keys_kept_days: 400, reserve_mib: 256 }
    }
}

#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cameras {
    /// Camera list in TOML or CSV.
    pub file: Option<PathBuf>,
}

/// Doors for positions.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ingest {
    /// The OsmAnd/Traccar form has no header for a token: by default `id` must be the secret of an inspector's
    /// token. When true, `id` is taken as the inspector's code without proof; for demonstrations on one machine only.
    pub osmand_open: bool,
}

/// Lists that may come from the environment, their parts separated by commas.
const LISTS: [&str; 6] =
    ["map.layers", "policy.overlays", "policy.holidays", "server.origins", "server.proxies", "files.scanner"];

impl Config {
    /// Reads the file, if any, and the environment.
    pub fn load(file: Option<&Path>) -> anyhow::Result<Self> {
        let mut builder = config::Config::builder();
        if let Some(file) = file {
            builder = builder.add_source(config::File::from(file).format(config::FileFormat::Toml));
        }
        let environment = config::Environment::with_prefix("GRIDHALL").prefix_separator("__").separator("__");
        let lists =
            LISTS.into_iter().fold(environment.try_parsing(true).list_separator(","), |found, key| {
                found.with_list_parse_key(key)
            });
        let loaded = builder.add_source(lists).build();
        let from = || file.map_or("the environment".to_owned(), |file| format!("`{}`", file.display()));
        let config: Self = loaded
            .and_then(config::Config::try_deserialize)
            .with_context(|| format!("cannot read the settings from {}", from()))?;
        config.check().with_context(|| format!("the settings from {} do not hold", from()))?;
        Ok(config)
    }

    fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            (5..=10_080).contains(&self.access.session_idle_minutes),
            "access.session_idle_minutes: {} is not within 5 to 10,080",
            self.access.session_idle_minutes
        );
        anyhow::ensure!(
            (1..=720).contains(&self.access.session_hours),
            "access.session_hours: {} is not within 1 to 720",
            self.access.session_hours
        );
        anyhow::ensure!(
            !self.ingest.osmand_open || self.server.listen.ip().is_loopback(),
            "ingest.osmand_open: only allowed while server.listen is a loopback address"
        );
        let ranges: [(&str, i64, std::ops::RangeInclusive<i64>); 20] = [
            ("server.connections_max", self.server.connections_max.into(), 16..=100_000),
            ("server.clock_confirm_minutes", self.server.clock_confirm_minutes.into(), 0..=1_440),
            ("store.keys_kept_days", self.store.keys_kept_days.into(), 1..=36_500),
            ("store.reserve_mib", self.store.reserve_mib.into(), 0..=1_048_576),
            ("access.failures_before_lock", self.access.failures_before_lock.into(), 1..=100),
            ("access.lock_minutes", self.access.lock_minutes.into(), 1..=1_440),
            ("live.heartbeat_ms", self.live.heartbeat_ms.into(), 200..=2_000),
            ("live.coalesce_ms", self.live.coalesce_ms.into(), 0..=1_000),
            ("live.stall_ms", self.live.stall_ms.into(), 2_000..=20_000),
            ("positions.cell_e6", self.positions.cell_e6.into(), 10_000..=1_000_000),
            ("positions.tick_ms", self.positions.tick_ms.into(), 50..=5_000),
            ("positions.forget_hours", self.positions.forget_hours.into(), 1..=8_760),
            ("positions.keep_days", self.positions.keep_days.into(), 1..=3_650),
            ("positions.fix_interval_ms", self.positions.fix_interval_ms.into(), 0..=600_000),
            ("files.file_mib", self.files.file_mib.into(), 1..=100),
            ("files.quota_mib", self.files.quota_mib.into(), 0..=104_857_600),
            ("files.scanner_seconds", self.files.scanner_seconds.into(), 1..=600),
            ("replay.open_max", self.replay.open_max.into(), 0..=8),
            ("replay.days_max", self.replay.days_max.into(), 1..=366),
            ("replay.idle_minutes", self.replay.idle_minutes.into(), 1..=1_440),
        ];
        for (key, value, range) in ranges {
            anyhow::ensure!(
                range.contains(&value),
                "{key}: {value} is not within {} to {}",
                range.start(),
                range.end()
            );
        }
        anyhow::ensure!(self.live.connections_max > 0, "live.connections_max: 0 lets nobody in");
        for origin in &self.server.origins {
            anyhow::ensure!(
                is_origin(origin),
                "server.origins: `{origin}` is no origin such as `https://hall.example`"
            );
        }
        self.map.check()?;
        self.video.check().context("video")
    }

    /// Refuses when a file the settings name cannot be read. Not part of reading the settings: a missing camera list
    /// must not keep anybody from making a backup.
    pub fn check_files(&self) -> anyhow::Result<()> {
        if let Some(file) = &self.cameras.file {
            let (_, refused) = crate::video::origin::file::load(file)
                .with_context(|| format!("cameras.file: cannot read `{}`", file.display()))?;
            for problem in &refused {
                tracing::warn!(%problem, "camera left out");
            }
        }
        self.walls.load()?;
        self.map.check_files()
    }

    /// The policy with its overlays and holidays.
    pub fn load_policy(&self) -> anyhow::Result<Policy> {
        self.policy.load()
    }
}

/// Scheme and authority of a web page, written the way browsers write them.
fn is_origin(text: &str) -> bool {
    let parsed = url::Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    parsed.is_some_and(|url| url.host_str() != Some("*") && url.origin().ascii_serialization() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("gridhall.toml");
        std::fs::write(&file, text).unwrap();
        (dir, file)
    }

    #[test]
    fn a_misspelt_key_is_refused_and_named() {
        let (_dir, file) = written("[server]\nlissten = \"127.0.0.1:1\"\n");
        let error = format!("{:#}", Config::load(Some(&file)).unwrap_err());
        assert!(error.contains("lissten"), "{error}");
    }

    #[test]
    fn the_documented_file_holds_every_key_with_its_default() {
        let page = include_str!("../../docs/config.md");
        let example = page.split("```toml\n").nth(1).and_then(|rest| rest.split("\n```").next()).unwrap();
        let (_dir, file) = written(example);
        let documented = toml::to_string(&Config::load(Some(&file)).unwrap()).unwrap();
        assert_eq!(documented, toml::to_string(&Config::default()).unwrap());
        for line in documented.lines().filter(|line| line.contains(" = ")) {
            let key = line.split(" = ").next().unwrap();
            assert!(
                example.lines().any(|said| said.starts_with(&format!("{key} = "))),
                "`{key}` is not in docs/config.md"
            );
        }
    }

    #[test]
    fn a_value_out_of_range_is_named() {
        let (_dir, file) = written("[live]\nheartbeat_ms = 0\n");
        let error = format!("{:#}", Config::load(Some(&file)).unwrap_err());
        assert!(error.contains("live.heartbeat_ms: 0 is not within 200 to 2000"), "{error}");
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_name() {
        for (key, text) in [
            ("server.origins", "[server]\norigins = [\"*\"]\n"),
            ("server.origins", "[server]\norigins = [\"https://*\"]\n"),
            ("server.origins", "[server]\norigins = [\"https://hall.example/\"]\n"),
            ("server.origins", "[server]\norigins = [\"hall.example\"]\n"),
            ("server.connections_max", "[server]\nconnections_max = 0\n"),
            ("access.lock_minutes", "[access]\nlock_minutes = 0\n"),
            ("access.lock_minutes", "[access]\nlock_minutes = 1441\n"),
            ("server.clock_confirm_minutes", "[server]\nclock_confirm_minutes = 1441\n"),
            ("store.keys_kept_days", "[store]\nkeys_kept_days = 0\n"),
            ("store.reserve_mib", "[store]\nreserve_mib = 1048577\n"),
            ("access.failures_before_lock", "[access]\nfailures_before_lock = 0\n"),
            ("map.raster", "[map]\nraster = \"https://tiles.example/{z}/{x}/{y}.png\"\n"),
            ("map.raster", "[map]\nraster = \"//tiles.example/{z}/{x}/{y}.png\"\n"),
            ("map.raster", "[map]\nraster = \"/tiles/{z}/{x}.png\"\n"),
            ("video.ring_bytes_max", "[video]\nring_bytes_max = 1099511627776\n"),
            ("video.ring_bytes_max", "[video]\nring_bytes_max = 0\n"),
            ("video.transcodes_max", "[video]\ntranscodes_max = 4000000\n"),
        ] {
            let (_dir, file) = written(text);
            let error = format!("{:#}", Config::load(Some(&file)).unwrap_err());
            assert!(error.contains(key), "{text}: {error}");
        }
        let (_dir, file) = written(
            "[server]\norigins = [\"https://hall.example\", \"http://10.0.0.1:8700\"]\n\
             [map]\nraster = \"/ground/{z}/{x}/{y}.png\"\n",
        );
        Config::load(Some(&file)).unwrap();
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let (dir, file) = written("");
        let missing = dir.path().join("missing.csv");
        let mut config = Config::load(Some(&file)).unwrap();
        config.check_files().unwrap();
        config.cameras.file = Some(missing.clone());
        let error = format!("{:#}", config.check_files().unwrap_err());
        assert!(error.contains("cameras.file") && error.contains("missing.csv"), "{error}");
        config.cameras.file = None;
        config.map.layers = vec![missing];
        let error = format!("{:#}", config.check_files().unwrap_err());
        assert!(error.contains("map.layers") && error.contains("missing.csv"), "{error}");
    }

    #[test]
    fn an_open_position_door_is_refused_beyond_loopback() {
        let (_dir, file) = written("[server]\nlisten = \"0.0.0.0:1\"\n[ingest]\nosmand_open = true\n");
        let error = format!("{:#}", Config::load(Some(&file)).unwrap_err());
        assert!(error.contains("osmand_open"), "{error}");
    }

    #[test]
    fn the_built_in_policy_holds_and_states_its_source() {
        let policy = Config::default().load_policy().unwrap();
        assert!(!policy.stated_source.is_empty());
        assert!(policy.areas.len() > 8);
    }
}
