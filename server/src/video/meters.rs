//! Names of the video part's metrics and the handles that write them.

use super::relay::status::{Cause, State};
use super::relay::stream::Profile;
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use std::time::Duration;

/// Figures of one camera stream.
pub struct SourceMeters {
    camera: String,
    profile: &'static str,
    state: Option<State>,
    frames: Counter,
    bytes: Counter,
    lost_packets: Counter,
    rate: Gauge,
    key_interval: Gauge,
    first_frame: Histogram,
}

impl SourceMeters {
    #[must_use]
    pub fn new(camera: &str, profile: Profile) -> Self {
        let camera = camera.to_owned();
        let profile = profile.name();
        Self {
            state: None,
            frames: counter!("gridhall_camera_frames_total", "camera" => camera.clone(), "profile" => profile),
            bytes: counter!("gridhall_camera_bytes_total", "camera" => camera.clone(), "profile" => profile),
            lost_packets: counter!("gridhall_camera_lost_packets_total", "camera" => camera.clone(), "profile" => profile),
            rate: gauge!("gridhall_camera_fps", "camera" => camera.clone(), "profile" => profile),
            key_interval: gauge!("gridhall_camera_key_interval_seconds", "camera" => camera.clone(), "profile" => profile),
            first_frame: histogram!("gridhall_camera_first_frame_seconds"),
            camera,
            profile,
        }
    }

    /// One series for each state a stream has been in, 1 for the present one.
    pub fn set_state(&mut self, state: Option<State>) {
        if self.state == state {
            return;
        }
        for (state, value) in [(self.state, 0.0), (state, 1.0)] {
            if let Some(state) = state {
                gauge!(
                    "gridhall_camera_state", "camera" => self.camera.clone(), "profile" => self.profile,
                    "state" => state.name()
                )
                .set(value);
            }
        }
        self.state = state;
        if state.is_none() {
            self.rate.set(0.0);
        }
    }

    pub fn failed(&self, cause: Cause) {
        counter!(
            "gridhall_camera_failures_total", "camera" => self.camera.clone(), "profile" => self.profile,
            "cause" => format!("{cause:?}").to_lowercase()
        )
        .increment(1);
    }

    pub fn picture(&self, bytes: usize) {
        self.frames.increment(1);
        self.bytes.increment(u64::try_from(bytes).unwrap_or(0));
    }

    pub fn lost(&self, packets: u64) {
        self.lost_packets.increment(packets);
    }

    pub fn rate(&self, fps: f32) {
        self.rate.set(f64::from(fps));
    }

    pub fn key_interval(&self, interval: Duration) {
        self.key_interval.set(interval.as_secs_f64());
    }

    pub fn first_frame(&self, after: Duration) {
        self.first_frame.record(after.as_secs_f64());
    }
}

/// Pages connected.
pub fn pages(change: f64) {
    gauge!("gridhall_video_pages").increment(change);
}

/// Tiles shown on all pages.
pub fn tiles(change: f64) {
    gauge!("gridhall_video_tiles").increment(change);
}

/// Frames left out because a page was too slow.
pub fn skipped(frames: u32) {
    counter!("gridhall_video_skipped_frames_total").increment(u64::from(frames));
}

/// What a page says it painted.
pub fn painted(latency_p95_ms: f32) {
    histogram!("gridhall_video_painted_latency_seconds").record(f64::from(latency_p95_ms) / 1_000.0);
}

/// Messages a page should not have sent.
pub fn violations() {
    counter!("gridhall_video_violations_total").increment(1);
}

/// Streams being transcoded.
#[cfg(feature = "ffmpeg")]
pub fn transcodes(change: f64) {
    gauge!("gridhall_video_transcodes").increment(change);
}

/// Pictures of cameras that our decoder could make nothing of.
#[cfg(feature = "ffmpeg")]
pub fn undecodable() {
    counter!("gridhall_video_undecodable_total").increment(1);
}

/// Transcodes that failed and were started anew.
#[cfg(feature = "ffmpeg")]
pub fn transcode_failed() {
    counter!("gridhall_video_transcodes_failed_total").increment(1);
}

/// Requests for a transcode that the budget did not allow.
pub fn transcodes_denied() {
    counter!("gridhall_video_transcodes_denied_total").increment(1);
}
