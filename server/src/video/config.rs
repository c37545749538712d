//! The settings of the video part, with their defaults. Nothing here reads files or the environment.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Settings under `[video]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// A tile of at most this many device pixels in height shows the sub stream.
    pub sub_height_max: u16,
    /// How far past `sub_height_max` a tile must grow or shrink before the stream is switched, in percent.
    pub switch_hysteresis_percent: u8,
    /// An upstream nobody watches any more is kept this long.
    pub linger_ms: u64,
    /// TCP connection and DESCRIBE together.
    pub describe_timeout_ms: u64,
    /// From the dial to the answer to PLAY.
    pub play_timeout_ms: u64,
    /// From PLAY to the first picture of any kind.
    pub first_frame_timeout_ms: u64,
    /// From PLAY to the first key frame; smart codecs send one every 20 s.
    pub key_frame_timeout_ms: u64,
    /// A live stream without a frame for this long, or for five of its own frame intervals, is lost.
    pub stall_ms: u64,
    /// First pause before dialling again; doubles with each failure, ±25 %.
    pub retry_min_ms: u64,
    /// Longest pause while somebody watches.
    pub retry_watched_max_ms: u64,
    /// Longest pause while nobody watches.
    pub retry_max_ms: u64,
    /// Pause after refused credentials or an unknown path: cameras lock accounts after a few wrong attempts.
    pub retry_refused_ms: u64,
    /// A stream that lived this long starts again from the shortest pause.
    pub retry_reset_ms: u64,
    /// Dials a second over all cameras, once `dials_burst` are used.
    pub dials_per_second: u32,
    /// Dials at once before the rate counts: a wall that opens shows all its cameras without waiting for turns.
    pub dials_burst: u32,
    /// Sessions open at one time with one host (a recorder serves many channels from one address).
    pub sessions_per_host: u32,
    /// Dials in progress at one time with one host.
    pub dials_per_host: u32,
    /// Frames kept for joining viewers, in bytes per stream.
    pub ring_bytes_max: usize,
    /// Frames kept for joining viewers, in milliseconds per stream.
    pub ring_ms_max: u64,
    /// A viewer this far behind continues at the next key frame.
    pub lag_ms_max: u64,
    /// Tiles on one page.
    pub tiles_per_page: u16,
    /// Cameras open on all pages of one account, token or wall, and pictures it waits for.
    pub tiles_per_actor: u32,
    /// Pages connected at one time.
    pub pages_max: u32,
    /// A page that takes nothing for this long is disconnected.
    pub page_stall_ms: u64,
    /// H.265 streams turned into H.264 at one time; beyond it a page sees key frames as JPEG.
    pub transcodes_max: u32,
    /// Transcoded pictures are scaled down to this height.
    pub transcode_height_max: u16,
    /// A transcode nobody watches any more is kept this long.
    pub transcode_linger_ms: u64,
    /// A transcode that makes no picture for this long, or for one and a half of the camera's key intervals, starts anew.
    pub undecodable_ms: u64,
    /// Width of snapshots and of the key-frame slideshow, in pixels at most.
    pub still_width_max: u16,
    /// Shortest time between two pictures of a slideshow.
    pub still_interval_ms: u64,
    /// A snapshot this young is served again.
    pub snapshot_cache_ms: u64,
    /// How long a snapshot may wait for a camera nobody is watching.
    pub snapshot_timeout_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            sub_height_max: 480,
            switch_hysteresis_percent: 20,
            linger_ms: 15_000,
            describe_timeout_ms: 3_000,
            play_timeout_ms: 4_000,
            first_frame_timeout_ms: 8_000,
            key_frame_timeout_ms: 30_000,
            stall_ms: 2_000,
            retry_min_ms: 500,
            retry_watched_max_ms: 2_000,
            retry_max_ms: 30_000,
            retry_refused_ms: 60_000,
            retry_reset_ms: 30_000,
            dials_per_second: 50,
            dials_burst: 64,
            sessions_per_host: 64,
            dials_per_host: 8,
            ring_bytes_max: 8 << 20,
            ring_ms_max: 12_000,
            lag_ms_max: 1_000,
            tiles_per_page: 64,
            tiles_per_actor: 256,
            pages_max: 1_000,
            page_stall_ms: 15_000,
            transcodes_max: 4,
            transcode_height_max: 720,
            transcode_linger_ms: 15_000,
            undecodable_ms: 4_000,
            still_width_max: 640,
            still_interval_ms: 500,
            snapshot_cache_ms: 2_000,
            snapshot_timeout_ms: 10_000,
        }
    }
}

/// Why a setting is not usable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("video.{field} is {found}; expected {expected}")]
pub struct ConfigError {
    pub field: &'static str,
    pub found: u64,
    pub expected: &'static str,
}

impl Config {
    /// Refuses values no hall can run with.
    pub fn check(&self) -> Result<(), ConfigError> {
        let at_least_one = [
            ("linger_ms", self.linger_ms),
            ("describe_timeout_ms", self.describe_timeout_ms),
            ("play_timeout_ms", self.play_timeout_ms),
            ("first_frame_timeout_ms", self.first_frame_timeout_ms),
            ("key_frame_timeout_ms", self.key_frame_timeout_ms),
            ("stall_ms", self.stall_ms),
            ("retry_min_ms", self.retry_min_ms),
            ("dials_per_second", u64::from(self.dials_per_second)),
            ("dials_burst", u64::from(self.dials_burst)),
            ("sessions_per_host", u64::from(self.sessions_per_host)),
            ("dials_per_host", u64::from(self.dials_per_host)),
            ("lag_ms_max", self.lag_ms_max),
            ("tiles_per_actor", u64::from(self.tiles_per_actor)),
            ("pages_max", u64::from(self.pages_max)),
            ("page_stall_ms", self.page_stall_ms),
            ("undecodable_ms", self.undecodable_ms),
            ("still_width_max", u64::from(self.still_width_max)),
            ("transcode_height_max", u64::from(self.transcode_height_max)),
        ];
        for (field, found) in at_least_one {
            if found == 0 {
                return Err(ConfigError { field, found, expected: "at least 1" });
            }
        }
        let bytes = self.ring_bytes_max as u64;
        if !(262_144..=268_435_456).contains(&bytes) {
            let expected = "262,144 to 268,435,456";
            return Err(ConfigError { field: "ring_bytes_max", found: bytes, expected });
        }
        let transcodes = u64::from(self.transcodes_max);
        if transcodes > 64 {
            return Err(ConfigError { field: "transcodes_max", found: transcodes, expected: "0 to 64" });
        }
        let tiles = u64::from(self.tiles_per_page);
        if !(1..=64).contains(&tiles) {
            return Err(ConfigError { field: "tiles_per_page", found: tiles, expected: "1 to 64" });
        }
        let percent = u64::from(self.switch_hysteresis_percent);
        if percent > 90 {
            return Err(ConfigError {
                field: "switch_hysteresis_percent",
                found: percent,
                expected: "0 to 90",
            });
        }
        Ok(())
    }

    pub(super) fn linger(&self) -> Duration {
        Duration::from_millis(self.linger_ms)
    }

    pub(super) fn stall(&self) -> Duration {
        Duration::from_millis(self.stall_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_usable() {
        assert_eq!(Config::default().check(), Ok(()));
        assert_eq!(toml::from_str::<Config>("").unwrap(), Config::default());
    }

    #[test]
    fn a_misspelt_or_impossible_setting_is_refused_by_name() {
        assert!(toml::from_str::<Config>("lingerms = 1").unwrap_err().to_string().contains("lingerms"));
        let error = Config { tiles_per_page: 65, ..Config::default() }.check().unwrap_err();
        assert_eq!(error.to_string(), "video.tiles_per_page is 65; expected 1 to 64");
    }
}
