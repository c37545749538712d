//! Names of the video part's metrics and the handles that write them.
//!
//! What is counted here is counted over all cameras: a city has thousands, and a series each would make the page of metrics
//! megabytes long and never shorter. How one stream does is asked for by name (`http.rs`), and answered while it is open.

use super::relay::status::{Cause, State};
use super::relay::stream::Profile;
use metrics::{Counter, Histogram, counter, gauge, histogram};
use std::time::Duration;

/// What one camera stream adds to the figures of all.
pub struct SourceMeters {
    state: Option<State>,
    profile: &'static str,
    frames: Counter,
    bytes: Counter,
    lost_packets: Counter,
    key_interval: Histogram,
    first_frame: Histogram,
}

impl SourceMeters {
    #[must_use]
    pub fn new(profile: Profile) -> Self {
        let profile = profile.name();
        Self {
            state: None,
            profile,
            frames: counter!("gridhall_camera_frames_total", "profile" => profile),
            bytes: counter!("gridhall_camera_bytes_total", "profile" => profile),
            lost_packets: counter!("gridhall_camera_lost_packets_total", "profile" => profile),
            key_interval: histogram!("gridhall_camera_key_interval_seconds"),
            first_frame: histogram!("gridhall_camera_first_frame_seconds"),
        }
    }

    /// Counts the stream among those in `state`.
    pub fn set_state(&mut self, state: Option<State>) {
        if self.state == state {
            return;
        }
        for (state, change) in [(self.state, -1.0), (state, 1.0)] {
            if let Some(state) = state {
                gauge!("gridhall_camera_streams", "profile" => self.profile, "state" => state.name())
                    .increment(change);
            }
        }
        self.state = state;
    }

    pub fn failed(&self, cause: Cause) {
        counter!("gridhall_camera_failures_total", "cause" => format!("{cause:?}").to_lowercase())
            .increment(1);
    }

    pub fn picture(&self, bytes: usize) {
        self.frames.increment(1);
        self.bytes.increment(u64::try_from(bytes).unwrap_or(0));
    }

    pub fn lost(&self, packets: u64) {
        self.lost_packets.increment(packets);
    }

    pub fn key_interval(&self, interval: Duration) {
        self.key_interval.record(interval.as_secs_f64());
    }

    pub fn first_frame(&self, after: Duration) {
        self.first_frame.record(after.as_secs_f64());
    }
}

/// A stream that is gone is in no state, however its actor ended.
impl Drop for SourceMeters {
    fn drop(&mut self) {
        self.set_state(None);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_of_cameras_make_no_longer_page_and_leave_nothing_behind() {
        let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            let mut all: Vec<SourceMeters> =
                (0..3_600).map(|n| SourceMeters::new([Profile::Main, Profile::Sub][n % 2])).collect();
            for meters in &mut all {
                meters.set_state(Some(State::Connecting));
                meters.picture(1_000);
                meters.first_frame(Duration::from_millis(90));
                meters.failed(Cause::Stalled);
                meters.set_state(Some(State::Live));
            }
            let page = recorder.handle().render();
            assert!(page.len() < 8 << 10, "{} bytes:\n{page}", page.len());
            let live = r#"gridhall_camera_streams{profile="main",state="live"}"#;
            assert!(page.contains(&format!("{live} 1800")), "{page}");
            drop(all);
            let page = recorder.handle().render();
            assert!(page.contains(&format!("{live} 0")), "{page}");
        });
    }
}
